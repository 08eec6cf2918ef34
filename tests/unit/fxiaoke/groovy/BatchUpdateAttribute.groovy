// An option of Fx.object's writing calls.
class BatchUpdateAttribute {
    boolean workflow = true

    static Building builder() { new Building() }

    static class Building {
        private BatchUpdateAttribute made = new BatchUpdateAttribute()
        Building triggerWorkflow(boolean value) { made.workflow = value; this }
        BatchUpdateAttribute build() { made }
    }
}
