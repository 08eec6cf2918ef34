// Which fields of this organisation hold the figures: made by `holdfast plugin build` from the mapping in use.
// It holds names and the address of the service, no secret.
window.HOLDFAST = "«settings»";
