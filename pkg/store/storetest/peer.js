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

process.on("exit", () => rmSync(__dirname, { recursive: true, force: true }));
process.stdin.on("end", () => process.exit()).resume();

// An error of one request, as when its client has gone, must not end the server for all others.
process.on("uncaughtException", (error) => console.error(error));
process.on("unhandledRejection", (error) => console.error(error));
