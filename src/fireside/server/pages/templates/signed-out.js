// The editor and its extensions keep things in the browser; they are no business of whoever signs in next. Browsers heed
// Clear-Site-Data on https alone, so all of it is done here too; some places are not there without https at all.
localStorage.clear();
sessionStorage.clear();
window.name = "";
// Tabs with the editor in them keep nothing more, and look anew who is signed in.
new BroadcastChannel("fireside").postMessage("forgotten");

const gone = (request) => new Promise((done) => {
  // One that a tab still holds open goes when that tab does.
  request.onsuccess = request.onerror = request.onblocked = done;
});
const databases = async () => {
  const found = (await indexedDB.databases?.()) ?? [];
  await Promise.all(found.map(({ name }) => gone(indexedDB.deleteDatabase(name))));
};
const answers = async () => {
  const names = (await globalThis.caches?.keys()) ?? [];
  await Promise.all(names.map((name) => caches.delete(name)));
};
const workers = async () => {
  const found = (await navigator.serviceWorker?.getRegistrations()) ?? [];
  await Promise.all(found.map((one) => one.unregister()));
};
const files = async () => {
  const folder = await navigator.storage?.getDirectory?.();
  if (!folder) return;
  const names = [];
  for await (const name of folder.keys()) names.push(name);
  await Promise.all(names.map((name) => folder.removeEntry(name, { recursive: true })));
};
globalThis.forgotten = Promise.allSettled([databases(), answers(), workers(), files()]);
