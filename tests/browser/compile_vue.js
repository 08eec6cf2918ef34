// Compiles a Vue 2.7 single-file component into one ES module, as a page builder would: compile_vue.js FILE VUE_FOLDER
// Prints JSON: the module, its styles, and what the compiler says against it.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const [file, vue] = process.argv.slice(2);
const sfc = require(path.join(vue, "compiler-sfc"));
const source = fs.readFileSync(file, "utf8");
const parsed = sfc.parse({ source, filename: file, compiler: require(path.join(vue, "compiler-sfc")) });
const id = "data-v-holdfast";
const template = sfc.compileTemplate({ source: parsed.template.content, filename: file, isProduction: true });
const styles = parsed.styles.map((s) => sfc.compileStyle({ source: s.content, filename: file, id, scoped: s.scoped }));
const script = sfc.rewriteDefault(parsed.script.content, "component");
const made = [
  script,
  template.code,
  `component.render = render; component.staticRenderFns = staticRenderFns; component._scopeId = "${id}";`,
  "export default component;",
].join("\n");
const errors = [...(parsed.errors || []), ...template.errors, ...template.tips, ...styles.flatMap((s) => s.errors)];
console.log(JSON.stringify({ module: made, style: styles.map((s) => s.code).join("\n"), errors: errors.map(String) }));
