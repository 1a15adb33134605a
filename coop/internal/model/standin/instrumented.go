package standin

// Instrumented says whether the futures library in this program uses the stand-ins. The checker compiles its program with
// another version of this file.
const Instrumented = false
