// The editor keeps drafts and a client id in the browser; they are no business of whoever signs in next.
localStorage.clear();
sessionStorage.clear();
window.name = "";
// Tabs with the editor in them keep nothing more, and look anew who is signed in.
new BroadcastChannel("fireside").postMessage("forgotten");
indexedDB.databases?.().then((found) => found.forEach(({ name }) => indexedDB.deleteDatabase(name)));
