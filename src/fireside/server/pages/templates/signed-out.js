// The editor keeps drafts and a client id in the browser; they are no business of whoever signs in next.
localStorage.clear();
sessionStorage.clear();
window.name = "";
indexedDB.databases?.().then((found) => found.forEach(({ name }) => indexedDB.deleteDatabase(name)));
