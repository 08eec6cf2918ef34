// 由记录得出要显示的数据；金额在接口中为文本。 From a record to the figures that are shown; amounts come as texts.

// 没有值就是没有，不当作零。 Missing is not zero.
function said(record, fields, word) {
  const name = fields[word] && fields[word].name;
  const value = name ? record[name] : null;
  return value === undefined || value === "" ? null : value;
}

function amount(record, fields, word) {
  const value = said(record, fields, word);
  const number = value === null ? NaN : Number(value);
  return isFinite(number) ? number : null;
}

// 选项存的是选项值，这里换回我们的词。 A choice keeps the value of its option: back to our word.
function ours(record, fields, word) {
  const value = said(record, fields, word);
  const values = (fields[word] && fields[word].values) || {};
  const found = Object.keys(values).filter(mine => String(values[mine]) === String(value));
  return found.length ? found[0] : null;
}

function flag(record, fields) {
  const value = said(record, fields, "hold");
  return value === null ? null : value === true || value === "true";
}

export function ofOrder(record, fields) {
  return { held: flag(record, fields), reason: said(record, fields, "hold_reason") };
}

export function ofAccount(record, fields) {
  const limit = amount(record, fields, "limit");
  const exposure = amount(record, fields, "exposure");
  const over = limit !== null && exposure !== null && exposure > limit;
  const share = over ? limit / exposure : exposure / limit;
  const figures = {
    level: ours(record, fields, "level"),
    held: flag(record, fields),
    reason: said(record, fields, "hold_reason"),
    currency: said(record, fields, "currency"),
    limit,
    exposure,
    available: amount(record, fields, "available"),
    balance: amount(record, fields, "balance"),
    overdue: amount(record, fields, "overdue"),
    overdueDays: said(record, fields, "overdue_days"),
    asOf: said(record, fields, "as_of"),
    over,
    // 以分为单位相减，避免二进制小数误差。 In hundredths, so that nothing is lost to binary fractions.
    excess: over ? (Math.round(exposure * 100) - Math.round(limit * 100)) / 100 : null,
    share: limit !== null && exposure !== null && isFinite(share) ? Math.max(0, Math.min(1, share)) : null
  };
  figures.empty = ["level", "limit", "exposure", "available", "overdue", "asOf"].every(name => figures[name] === null) && !figures.held;
  return figures;
}
