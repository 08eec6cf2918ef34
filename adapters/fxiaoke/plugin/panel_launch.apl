// Holdfast：为正在查看的员工打开签名信用面板（APL 控制器函数）
// Holdfast: opens the signed credit panel for the employee who is looking (APL controller function)
//
// 安装：管理后台 → 自定义函数 → 新建函数，命名空间“控制器”，不绑定对象，api 名 «function»，
//       参数 object（String）、record_id（String），返回值类型 String；粘贴本文件并发布。
// Install: console → custom functions → new, namespace “controller”, no bound object, api name as above,
//          parameters object (String) and record_id (String), return type String; paste and publish.
//
// 密钥不在本文件中：在“全局变量”里新建文本变量 «variable»，填入 [systems.panel] 的密钥，只授权给管理员。
// The secret is not in this text: make a text variable of that name under “global variables” and enter it there.
//
// 员工取自平台的 context.userId，不取自页面。 The employee is the platform's own context.userId, never the page's word.
String place = "«launch»"
def (Boolean missing, Object kept, String why) = Fx.global.findByApiName("«variable»")
String secret = kept as String
if (missing || secret == null || secret.length() < 32) {
    log.info("Holdfast: no such global variable, or it is too short. " + why)
    return Fx.json.toJson(["error": "no_secret"])
}
Long now = System.currentTimeMillis()
Map told = ["object": object, "record_id": record_id, "crm_user": context.userId as String, "nonce": now as String]
// 签名的内容与发送的内容是同一段文本。 What is signed is exactly what is sent.
String body = Fx.json.toJson(told)
String stamp = now.intdiv(1000) as String
javax.crypto.Mac mac = javax.crypto.Mac.getInstance("HmacSHA256")
mac.init(new javax.crypto.spec.SecretKeySpec(secret.getBytes("UTF-8"), "HmacSHA256"))
String signature = mac.doFinal((stamp + "." + body).getBytes("UTF-8")).encodeHex().toString()
Map headers = ["Content-Type": "application/json", "X-Holdfast-Signature": "t=" + stamp + ",v1=" + signature]
def (Boolean failed, HttpResult answer, String reason) = Fx.http.post(place, headers, body, 8000, false, 0)
if (failed || answer.statusCode != 200) {
    log.info("Holdfast: " + reason)
    return Fx.json.toJson(["error": "refused"])
}
Map said = answer.content as Map
return Fx.json.toJson(["url": said["url"]])
