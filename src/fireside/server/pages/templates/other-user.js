// Runs after signed-out.js, which has emptied the storage: now what the editor keeps here is this user's.
const { mark, attributes } = document.getElementById("mark").dataset;
document.cookie = `fireside_drafts_of=${mark}; ${attributes}`;
// Without the cookie it would go round for ever; the page says what is the matter.
if (document.cookie.includes(mark)) globalThis.forgotten.then(() => location.reload());
else document.getElementById("problem").hidden = false;
