// Holdfast 订单信用管控（APL 校验函数，绑定对象：销售订单）
// Holdfast: refuses to go on with a held order (APL validation function, bound to SalesOrderObj)
//
// 安装：管理后台 → 自定义函数 → 新建函数，命名空间选择“校验函数”，绑定对象选择“销售订单”，返回值类型 ValidateResult；
//       粘贴并发布，然后挂到销售订单的“确认”“发货”等按钮的前验证上。编辑按钮不要挂，否则无法解除冻结后的修改。
// Install: namespace “validation”, bound to sales orders; paste and publish; attach it to the buttons that confirm or
//          ship an order, not to “edit”.
//
// 字段 api 名由 holdfast plugin build 按本企业填写；写着 field_hold__c、field_reason__c 时请手工替换。
// The field names are filled in by `holdfast plugin build`; where they say field_hold__c, field_reason__c, replace them.
//
// 也可以不用函数，改用“校验规则”：当“信用冻结”等于“是”时不允许提交。
// A validation rule on the field does the same without a function.
Boolean held = context.data["«hold»"] as Boolean
String reason = context.data["«reason»"] as String
if (held) {
    return ValidateResult.builder().success(false).errorMessage("订单因信用管控被冻结：" + (reason ?: "")).build()
}
return ValidateResult.builder().success(true).build()
