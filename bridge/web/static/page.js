"use strict";

// A page whose region "live" names seconds fetches itself so often and puts the region in place of
// the one that is shown. What somebody is filling in or reading by keyboard is left alone.
(() => {
  const ID = "live";

  const isBusy = (region) =>
    document.hidden || region.contains(document.activeElement) ||
    [...region.querySelectorAll("input:not([type=hidden])")].some((field) =>
      field.type === "checkbox" ? field.checked !== field.defaultChecked
        : field.value !== field.defaultValue);

  const renew = async (region) => {
    const answer = await fetch(location.href, { credentials: "same-origin", redirect: "error" });
    if (!answer.ok) return region;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(ID);
    if (!fresh || isBusy(region) || fresh.isEqualNode(region)) return region;
    region.replaceWith(fresh);
    return fresh;
  };

  const follow = (region) => {
    const seconds = Number(region.dataset.every);
    if (!seconds) return;
    setTimeout(async () => {
      let next = region;
      try {
        if (!isBusy(region)) next = await renew(region);
      } catch {
        // The bridge is away, or the session is over: the next try or click will tell.
      }
      follow(next);
    }, seconds * 1000);
  };

  const region = document.getElementById(ID);
  if (region && location.search.indexOf("done=") < 0) follow(region);
})();
