// Shows the credit figures of an account, or of the account of a sales order, with the rights of who looks.
// Values reach the page as text only, never as markup.
(function () {
  "use strict";

  var settings = window.HOLDFAST;
  var figuresOf = window.HOLDFAST_FIGURES;
  var place = document.body.getAttribute("data-place");
  var home = document.getElementById("credit");
  var language = "en";
  var locale = "en";
  var words = window.HOLDFAST_WORDS.en;
  var SIGNS = { green: "✓", yellow: "◆", orange: "▲", red: "✕" };
  var SVG = "http://www.w3.org/2000/svg";

  // --- small parts ---
  function part(tag, className, text) {
    var made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined && text !== null) made.textContent = String(text);
    return made;
  }

  function put(into) {
    for (var at = 1; at < arguments.length; at += 1) if (arguments[at]) into.appendChild(arguments[at]);
    return into;
  }

  function only(node) {
    home.textContent = "";
    home.appendChild(node);
    resize();
  }

  function message(key, kind) {
    only(part("p", "message " + (kind || ""), words[key]));
  }

  function speak(name) {
    var zh = /^zh/i.test(name || "");
    language = zh ? "zh" : "en";
    locale = String(name || "en").replace("_", "-");
    words = window.HOLDFAST_WORDS[language];
    document.documentElement.lang = zh ? "zh-CN" : "en";
    document.title = words.title;
  }

  function money(value, currency) {
    var style = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
    if (/^[A-Z]{3}$/.test(currency || "")) style = { style: "currency", currency: currency };
    try {
      return new Intl.NumberFormat(locale, style).format(value);
    } catch (wrong) {
      return new Intl.NumberFormat("en", style).format(value);
    }
  }

  function day(value) {
    var found = /^(\d{4})-(\d{2})-(\d{2})/.exec(String(value));
    if (!found) return String(value);
    var at = new Date(Date.UTC(Number(found[1]), Number(found[2]) - 1, Number(found[3])));
    return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" }).format(at);
  }

  // --- what is shown ---
  function badge(level) {
    var known = Object.prototype.hasOwnProperty.call(SIGNS, level);
    var made = part("span", "badge " + (known ? level : "none"));
    var sign = part("span", "sign", known ? SIGNS[level] : "?");
    sign.setAttribute("aria-hidden", "true");
    return put(made, sign, part("span", "", known ? words.levels[level] : words.unknown));
  }

  function hold(held, reason, said) {
    if (held === null) return null;
    var made = part("div", "hold " + (held ? "held" : "free"));
    var sign = part("span", "sign", held ? "■" : "✓");
    sign.setAttribute("aria-hidden", "true");
    put(made, put(part("strong"), sign, part("span", "", " " + (held ? said : words.free))));
    return held && reason ? put(made, part("p", "reason", reason)) : made;
  }

  function bar(figures) {
    if (figures.share === null) return null;
    var percent = Math.round(figures.share * 100);
    var made = document.createElementNS(SVG, "svg");
    made.setAttribute("class", "bar");
    made.setAttribute("viewBox", "0 0 100 4");
    made.setAttribute("preserveAspectRatio", "none");
    made.setAttribute("role", "img");
    made.setAttribute("aria-label", figures.over ? words.over + " " + money(figures.excess, figures.currency) : words.used + " " + percent + "%");
    [[figures.over ? "full" : "rest", 0, 100], ["part", 0, percent]].forEach(function (one) {
      var rect = document.createElementNS(SVG, "rect");
      rect.setAttribute("class", one[0]);
      rect.setAttribute("x", String(one[1]));
      rect.setAttribute("y", "0");
      rect.setAttribute("width", String(one[2]));
      rect.setAttribute("height", "4");
      made.appendChild(rect);
    });
    return made;
  }

  function line(list, name, value) {
    if (value === null) return;
    put(list, put(part("div", "line"), part("dt", "", name), part("dd", "", value)));
  }

  function amounts(figures) {
    var list = part("dl", "amounts");
    line(list, words.limit, figures.limit === null ? null : money(figures.limit, figures.currency));
    line(list, words.exposure, figures.exposure === null ? null : money(figures.exposure, figures.currency));
    if (figures.over) {
      line(list, words.over, money(figures.excess, figures.currency));
    } else {
      line(list, words.available, figures.available === null ? null : money(figures.available, figures.currency));
    }
    line(list, words.used, figures.used === null || figures.share !== null ? null : figures.used + "%");
    var late = figures.overdue;
    line(list, words.overdue, late === null ? null : late === 0 ? words.nothing : money(late, figures.currency));
    if (late !== 0) {
      line(list, words.overdueDays, figures.overdueDays === null ? null : figures.overdueDays + " " + words.days);
    }
    return list;
  }

  function shown(figures, order) {
    var made = part("section", "card");
    if (order) put(made, hold(order.held, order.reason, words.orderHeld));
    if (order && order.held === null && figures === null) put(made, part("p", "message", words.none));
    if (figures === null) return made;
    if (order) put(made, part("h2", "", words.account));
    if (figures.empty) return put(made, part("p", "message", words.none));
    put(made, put(part("div", "head"), badge(figures.level)), hold(figures.held, figures.reason, words.held));
    if (figures.limit === null && figures.exposure !== null) put(made, part("p", "hint", words.noLimit));
    put(made, bar(figures), amounts(figures));
    return figures.asOf === null ? made : put(made, part("p", "asof", words.asOf + " " + day(figures.asOf)));
  }

  // --- our own panel, where the service is known ---
  function opener(entity, id) {
    if (!settings.signed) return null;
    var button = part("button", "open", words.open);
    button.type = "button";
    button.addEventListener("click", function () {
      button.disabled = true;
      button.textContent = words.opening;
      // Only now: a launch is good for one look, and each is an execution of a function of this organisation.
      launch(entity, id).then(
        function (url) {
          button.replaceWith(frame(url));
          resize();
        },
        function () {
          button.replaceWith(part("p", "message bad", words.notOpened));
          resize();
        }
      );
    });
    return button;
  }

  function launch(entity, id) {
    var told = { arguments: JSON.stringify({ object: entity, record_id: id }) };
    return window.ZOHO.CRM.FUNCTIONS.execute(settings.launch, told).then(function (answer) {
      var output = answer && answer.details && answer.details.output;
      var url = (typeof output === "string" ? JSON.parse(output) : output || {}).url;
      // Whatever a function answers, only our own service is shown.
      if (typeof url !== "string" || url.indexOf(settings.address + "/") !== 0) throw new Error("no launch");
      return url;
    });
  }

  function frame(url) {
    var made = part("iframe", "panel");
    made.title = words.panel;
    made.setAttribute("referrerpolicy", "no-referrer");
    made.setAttribute("sandbox", "allow-scripts allow-forms allow-same-origin");
    made.src = url;
    return made;
  }

  // --- reading, with the rights of who looks ---
  function record(entity, id) {
    return window.ZOHO.CRM.API.getRecord({ Entity: entity, RecordID: id }).then(function (answer) {
      var found = answer && answer.data && answer.data[0];
      if (!found) throw new Error((answer && answer.code) || "empty");
      return found;
    });
  }

  function show(entity, id) {
    message("loading");
    var account = settings.modules[settings.account];
    var order = settings.modules[settings.order];
    return record(entity, id).then(function (found) {
      if (entity !== settings.order) return [figuresOf.ofAccount(found, account.fields), null];
      var own = figuresOf.ofOrder(found, order ? order.fields : {});
      var customer = found.Account_Name && found.Account_Name.id;
      if (!customer) return [null, own];
      return record(settings.account, customer).then(
        function (theirs) {
          return [figuresOf.ofAccount(theirs, account.fields), own];
        },
        function () {
          return [null, own]; // who may see the order may not see its account
        }
      );
    }).then(function (both) {
      only(put(shown(both[0], both[1]), opener(entity, id), closer()));
    });
  }

  function closer() {
    if (place !== "button") return null;
    var button = part("button", "close", words.close);
    button.type = "button";
    button.addEventListener("click", function () {
      window.ZOHO.CRM.UI.Popup.close();
    });
    return button;
  }

  // --- Zoho's side ---
  function resize() {
    var ui = window.ZOHO && window.ZOHO.CRM && window.ZOHO.CRM.UI;
    if (place === "button" && ui && ui.Resize) {
      ui.Resize({ width: "420", height: String(Math.min(720, document.documentElement.scrollHeight + 24)) });
    }
  }

  function known(promise, use) {
    return Promise.resolve(promise).then(use, function () {}); // language and theme are a courtesy, never a condition
  }

  function person() {
    return known(window.ZOHO.CRM.CONFIG.getCurrentUser(), function (answer) {
      var user = answer && answer.users && answer.users[0];
      if (user) speak(user.language || user.locale);
    });
  }

  function theme() {
    var config = window.ZOHO.CRM.CONFIG;
    if (!config.getUserPreference) return Promise.resolve();
    return known(config.getUserPreference(), function (answer) {
      var said = String((answer && (answer.theme || (answer.data && answer.data.theme))) || "").toLowerCase();
      if (said === "night" || said === "dark") document.documentElement.className = "dark";
      if (said === "day" || said === "light") document.documentElement.className = "light";
    });
  }

  speak(window.navigator.language);
  message("loading");
  window.ZOHO.embeddedApp.on("PageLoad", function (context) {
    var ids = [].concat((context && context.EntityId) || []);
    Promise.all([person(), theme()]).then(function () {
      if (ids.length !== 1) return message("list");
      return show(context.Entity, String(ids[0]));
    }).catch(function (wrong) {
      message(/PERMISSION|PRIVILEGE|AUTH/i.test(String(wrong && (wrong.code || wrong.message))) ? "noRight" : "failed", "bad");
    });
  });
  window.ZOHO.embeddedApp.init();
})();
