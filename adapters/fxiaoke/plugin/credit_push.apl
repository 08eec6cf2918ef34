// Holdfast 信用字段批量回写（APL 控制器函数，可选）
// Holdfast: credit fields of many records in one call (APL controller function, optional)
//
// 安装：管理后台 → 自定义函数 → 新建函数，命名空间选择“控制器”，绑定对象选择“无”，
//       api 名建议 func_holdfast_credit_push__c，新增参数 rows（String），返回值类型 String，粘贴以下代码并发布。
// Install: console → custom functions → new, namespace “controller”, no bound object, parameter rows (String),
//          return type String; paste, publish, and put its api name into the setting bulk_function.
//
// 入参 / in : {"object": "AccountObj", "rows": {"<_id>": {"<字段 api 名>": 值, …}, …}}，每行的字段相同
// 返回 / out: {"done": ["<_id>", …], "failed": {"<_id>": "原因"}}
//
// 平台限制 / limits: 每次批量更新不超过 500 条，每次运行不超过 300 次对象调用。我们每次至多传 100 条。
Map told = Fx.json.parse(rows)
String apiName = told["object"] as String
Map wanted = told["rows"] as Map
List done = []
Map failed = [:]

if (wanted.size() > 0) {
    // 各行字段相同，取第一行的字段名作为允许更新的字段清单
    Map first = [:]
    wanted.each { id, values ->
        if (first.size() == 0) {
            first = values as Map
        }
    }
    List names = []
    first.each { name, value -> names.add(name) }

    def (Boolean error, List data, String message) = Fx.object.batchUpdate(
        apiName, wanted, names, BatchUpdateAttribute.builder().triggerWorkflow(false).build())
    if (!error) {
        wanted.each { id, values -> done.add(id) }
    } else {
        // 整批失败时逐条更新，找出有问题的那一条；不触发工作流
        log.info("batchUpdate: " + message)
        wanted.each { id, values ->
            def (Boolean wrong, Map row, String why) = Fx.object.update(
                apiName, id as String, values as Map, UpdateAttribute.builder().triggerWorkflow(false).build())
            if (wrong) {
                failed.put(id, why)
            } else {
                done.add(id)
            }
        }
    }
}
return Fx.json.toJson(["done": done, "failed": failed])
