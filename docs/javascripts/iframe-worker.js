// Search in pages that were opened from a folder. Browsers refuse to start a worker from a
// file, so its script runs in a hidden frame of the page instead. From a server nothing
// changes: the browser's own Worker is left alone.
if (location.protocol === "file:") {
  window.IFrameWorker = class extends EventTarget {
    constructor(script) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      this.inside = frame.contentWindow;
      this.ready = new Promise((done) => {
        const element = frame.contentDocument.createElement("script");
        element.src = script;
        element.onload = done;
        // What the script says goes to whoever listens to this worker.
        this.inside.postMessage = (data) =>
          this.dispatchEvent(new MessageEvent("message", { data }));
        frame.contentDocument.head.append(element);
      });
    }

    postMessage(data) {
      this.ready.then(() =>
        this.inside.dispatchEvent(new this.inside.MessageEvent("message", { data })),
      );
    }
  };
  window.Worker = window.IFrameWorker;
}
