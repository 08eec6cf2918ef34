// 由 `holdfast plugin build` 按当前映射生成：哪些字段存放信用数据。不含任何密钥。
// Which fields hold the figures: made by `holdfast plugin build` from the mapping in use. No secret.
export default "«settings»";
