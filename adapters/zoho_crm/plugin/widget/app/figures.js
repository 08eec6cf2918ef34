// From a record as Zoho gives it to the figures that are shown. Nothing here touches the page.
(function () {
  "use strict";

  // What the record says for one of our words; null where it says nothing, because missing is not zero.
  function said(record, fields, word) {
    var name = fields[word] && fields[word].name;
    var value = name ? record[name] : null;
    return value === undefined || value === "" || value === "-None-" ? null : value;
  }

  function amount(record, fields, word) {
    var value = said(record, fields, word);
    var number = value === null ? NaN : Number(value);
    return isFinite(number) ? number : null;
  }

  // Our word for a value of theirs: "Stop" → red.
  function ours(record, fields, word) {
    var value = said(record, fields, word);
    var values = (fields[word] && fields[word].values) || {};
    var found = Object.keys(values).filter(function (mine) {
      return values[mine] === value;
    });
    return found.length ? found[0] : value;
  }

  function flag(record, fields) {
    var value = said(record, fields, "hold");
    return value === null ? null : value === true || value === "true";
  }

  // The customer's figures from an account.
  window.HOLDFAST_FIGURES = {
    ofAccount: function (record, fields) {
      var limit = amount(record, fields, "limit");
      var exposure = amount(record, fields, "exposure");
      var available = amount(record, fields, "available");
      var figures = {
        level: ours(record, fields, "level"),
        held: flag(record, fields),
        reason: said(record, fields, "hold_reason"),
        currency: said(record, fields, "currency"),
        limit: limit,
        exposure: exposure,
        available: available,
        used: said(record, fields, "utilisation_percent"),
        overdue: amount(record, fields, "overdue"),
        overdueDays: said(record, fields, "overdue_days"),
        asOf: said(record, fields, "as_of")
      };
      figures.over = limit !== null && exposure !== null && exposure > limit;
      // In hundredths, so that nothing is lost to binary fractions.
      figures.excess = figures.over ? (Math.round(exposure * 100) - Math.round(limit * 100)) / 100 : null;
      // Where the bar's first part ends: what is used of the limit, or the limit within what is used.
      var share = figures.over ? limit / exposure : exposure / limit;
      figures.share = limit !== null && exposure !== null && isFinite(share) ? Math.max(0, Math.min(1, share)) : null;
      figures.empty = ["level", "held", "limit", "exposure", "available", "overdue", "asOf"].every(function (name) {
        return figures[name] === null || (name === "held" && figures[name] === false);
      });
      return figures;
    },
    // An order's own hold.
    ofOrder: function (record, fields) {
      return { held: flag(record, fields), reason: said(record, fields, "hold_reason") };
    }
  };
})();
