// Runs one of our APL functions against stand-ins of the documented Fx interface: run.groovy FUNCTION.apl WORLD.json
// Prints what the function answered and which calls it made, as JSON.
import groovy.json.JsonOutput
import groovy.json.JsonSlurper

Map world = new JsonSlurper().parse(new File(args[1]), "UTF-8") as Map
List calls = []

class Json {
    Object parse(String text) { new JsonSlurper().parseText(text) }
    String toJson(Object value) { JsonOutput.toJson(value) }
}

class Globals {
    Map kept
    List findByApiName(String name) { kept.containsKey(name) ? [false, kept[name], ""] : [true, null, "no such variable"] }
}

class Records {
    List refused
    List calls
    List batchUpdate(String object, Map rows, List names, BatchUpdateAttribute how) {
        calls << ["batchUpdate", object, rows, names, how.workflow]
        rows.keySet().any { refused.contains(it) } ? [true, null, "one of them is refused"] : [false, [], ""]
    }
    List update(String object, String id, Map values, UpdateAttribute how) {
        calls << ["update", object, id, values, how.workflow]
        refused.contains(id) ? [true, null, "refused"] : [false, values, ""]
    }
}

class Web {
    Map answers
    List calls
    List post(String url, Map headers, Object body, int timeout, boolean retry, int times) {
        calls << ["post", url, headers, body]
        answers ? [false, new HttpResult(statusCode: answers.status as int, content: answers.content), ""] : [true, null, "nobody answers"]
    }
}

class Log {
    List lines = []
    void info(Object line) { lines << (line as String) }
}

Log log = new Log()
Map fx = [
    json: new Json(),
    global: new Globals(kept: world.variables ?: [:]),
    object: new Records(refused: world.refused ?: [], calls: calls),
    http: new Web(answers: world.answer, calls: calls),
]
Binding given = new Binding([Fx: fx, log: log, context: world.context ?: [:]] + (world.parameters ?: [:]))
Object made = new GroovyShell(this.class.classLoader, given).evaluate(new File(args[0]).getText("UTF-8"), "function.groovy")
if (made instanceof ValidateResult) made = [success: made.success, errorMessage: made.errorMessage]
println JsonOutput.toJson([made: made, calls: calls, log: log.lines])
