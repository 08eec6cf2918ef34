// Asks Holdfast for one look at the credit panel. Node 18 or later, nothing to install; runs on your server, never in a browser.
//
//     HOLDFAST_PANEL_SECRET=…  node launch.js  customer  C-1001  anna@example.com
//
// prints the address for the frame. It is good once, for 90 seconds: ask anew for every page you show. Take the user from
// your own session, never from the page: what is signed here is believed there.
"use strict";

const crypto = require("node:crypto");

const LAUNCH = process.env.HOLDFAST_LAUNCH || "«launch»";

// The address of the panel for this user and this record ("customer" or "order", its id in the system).
async function launch(objectName, recordId, user, language) {
  const told = { object: objectName, record_id: recordId, crm_user: user, nonce: crypto.randomBytes(8).toString("hex") };
  if (language) told.language = language;
  const body = JSON.stringify(told); // what is signed is exactly what is sent
  const stamp = String(Math.floor(Date.now() / 1000));
  const signature = crypto.createHmac("sha256", process.env.HOLDFAST_PANEL_SECRET).update(stamp + "." + body).digest("hex");
  const headers = { "Content-Type": "application/json", "X-Holdfast-Signature": "t=" + stamp + ",v1=" + signature };
  const answer = await fetch(LAUNCH, { method: "POST", headers: headers, body: body });
  const said = await answer.json();
  if (!answer.ok) throw new Error((said && (said.detail || said.code)) || String(answer.status));
  return said.url;
}

module.exports = { launch };

if (require.main === module) {
  const given = process.argv.slice(2);
  if (given.length !== 3) {
    console.error("node launch.js customer|order ID USER");
    process.exit(2);
  }
  launch(given[0], given[1], given[2]).then(
    (url) => console.log(url),
    (wrong) => {
      console.error(wrong.message);
      process.exit(1);
    }
  );
}
