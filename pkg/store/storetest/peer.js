// Loaded into pouchdb-server ahead of its own code: it listens on a port that the system picks and says which, and
// it ends, taking its files along, when its standard input closes, that is, at the latest with the test process.
"use strict";
const { Server } = require("net");
const { rmSync } = require("fs");

const listen = Server.prototype.listen;
Server.prototype.listen = function (port, host, done) {
  return listen.call(this, 0, "127.0.0.1", () => {
    console.log(`http://127.0.0.1:${this.address().port}`);
    done();
  });
};

// What takes most of the server's time and gives tests nothing: a JavaScript context of its own for each document that a
// view maps, and parts of the server that look at each request or write.
const vm = require("vm");
const shared = vm.createContext();
const runInNewContext = vm.runInNewContext;
vm.runInNewContext = (code, ...rest) =>
  rest.length > 0 ? runInNewContext(code, ...rest) : vm.runInContext(code, shared);
const exclude = [
  "compression", "disk-size", "replicator", "routes/cluster-rewrite", "routes/fauxton", "routes/find", "routes/http-log",
  "routes/list", "routes/log", "routes/replicate", "routes/rewrite", "routes/show", "routes/special-test-auth",
  "routes/stats", "routes/update", "routes/vhosts", "validation",
];
const Module = require("module");
const load = Module._load;
Module._load = (name, ...rest) => {
  const loaded = load(name, ...rest);
  return name === "express-pouchdb" ? (options) => loaded({ ...options, overrideMode: { exclude } }) : loaded;
};

process.on("exit", () => rmSync(__dirname, { recursive: true, force: true }));
process.stdin.on("end", () => process.exit()).resume();

// An error of one request, as when its client has gone, must not end the server for all others.
process.on("uncaughtException", (error) => console.error(error));
process.on("unhandledRejection", (error) => console.error(error));

// pouchdb-server makes a database again that is deleted while another request reads it. A CouchDB does not, so a deletion
// waits for the requests before it, but for those that wait for changes, and all after it wait for the deletion.
const { Server: HTTPServer } = require("http");
const databases = new Map(); // by path: { active, deletion, waiting }
const emit = HTTPServer.prototype.emit;
HTTPServer.prototype.emit = function (event, request, response) {
  if (event !== "request") return emit.apply(this, arguments);
  const path = request.url.split("?")[0].split("/")[1] ?? "";
  const database = databases.get(path) ?? { active: 0, deletion: false, waiting: [] };
  databases.set(path, database);
  const deletes = request.method === "DELETE" && /^\/[^/?]+\/?(\?|$)/.test(request.url);
  const run = () => {
    database.active++;
    database.deletion = deletes;
    let over = false;
    const end = () => {
      if (over) return;
      over = true;
      database.active--;
      database.deletion = false;
      next();
    };
    response.once("close", end);
    if (/[?&]feed=longpoll/.test(request.url)) {
      const write = response.write;
      response.write = (...text) => {
        end(); // it has begun to wait for changes
        return write.apply(response, text);
      };
    }
    emit.call(this, event, request, response);
  };
  const next = () => {
    while (database.waiting.length > 0 && !database.deletion && (database.active === 0 || !database.waiting[0].deletes)) {
      database.waiting.shift().run();
    }
    if (database.active === 0 && database.waiting.length === 0) databases.delete(path);
  };
  database.waiting.push({ run, deletes });
  next();
  return true;
};
