// What a validation function answers with: built by success and errorMessage.
class ValidateResult {
    boolean success
    String errorMessage

    static Building builder() { new Building() }

    static class Building {
        private ValidateResult made = new ValidateResult()
        Building success(boolean value) { made.success = value; this }
        Building errorMessage(String value) { made.errorMessage = value; this }
        ValidateResult build() { made }
    }
}
