// An option of Fx.object's writing calls.
class UpdateAttribute {
    boolean workflow = true

    static Building builder() { new Building() }

    static class Building {
        private UpdateAttribute made = new UpdateAttribute()
        Building triggerWorkflow(boolean value) { made.workflow = value; this }
        UpdateAttribute build() { made }
    }
}
