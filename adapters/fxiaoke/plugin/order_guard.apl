/**
 * Holdfast 订单信用管控（APL 校验函数，绑定对象：销售订单）
 * Holdfast: refuses to go on with a held order (APL validation function, bound to SalesOrderObj)
 *
 * 安装：管理后台 → 自定义函数 → 新建函数，命名空间选择“校验函数”，绑定对象选择“销售订单”，返回值类型 ValidateResult；
 *       把 field_hold__c、field_reason__c 换成本企业“信用冻结”“信用冻结原因”两个字段的 api 名（holdfast check 会列出），
 *       然后把函数挂到销售订单的“确认”“发货”等按钮的前验证上。编辑按钮不要挂，否则无法解除冻结后的修改。
 * Install: namespace “validation”, bound to sales orders; replace the two field names by the tenant's own
 *          (`holdfast check` lists them); attach it to the buttons that confirm or ship an order, not to “edit”.
 *
 * 也可以不用函数，改用“校验规则”：当“信用冻结”等于“是”时不允许提交。
 * A validation rule on the field does the same without a function.
 */
Boolean held = context.data["field_hold__c"] as Boolean
String reason = context.data["field_reason__c"] as String
if (held) {
    return ValidateResult.builder().success(false).errorMessage("订单因信用管控被冻结：" + (reason ?: "")).build()
}
return ValidateResult.builder().success(true).build()
