function trace(r) { return r.remoteAddress + "-" + r.uri.length; }
export default { trace };
