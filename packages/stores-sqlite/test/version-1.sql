-- A file as schema version 1 wrote it: a run that ended in session s1, one that waits for an approval in session s2.
BEGIN TRANSACTION;
CREATE TABLE decided (
  run INTEGER NOT NULL,
  interruption_id TEXT NOT NULL,
  signal INTEGER NOT NULL,
  PRIMARY KEY (run, interruption_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE deltas (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id TEXT NOT NULL,
  frame TEXT NOT NULL,
  json TEXT NOT NULL
) STRICT;
CREATE TABLE events (
  run INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  json TEXT NOT NULL,
  PRIMARY KEY (run, seq)
) STRICT;
INSERT INTO "events" VALUES(1,1,'{"type":"run-start","input":[{"id":"in.1","runId":"r1","role":"user","parts":[{"type":"text","text":"Hello!"}]}],"sessionId":"s1","sessionVersion":"1","requestContext":{},"options":{},"v":1,"seq":1,"at":1795358533528,"runId":"r1","frame":"f0","agent":"bot"}');
INSERT INTO "events" VALUES(1,2,'{"type":"model-response","purpose":"turn","message":{"id":"f0.t1","runId":"r1","role":"assistant","parts":[{"type":"text","text":"Hello."}],"agent":"bot"},"usage":{"inputTokens":10,"outputTokens":5,"totalTokens":15},"finishReason":"stop","provider":"scripted","modelId":"script","attempts":[],"v":1,"seq":2,"at":1795358533533,"runId":"r1","frame":"f0","agent":"bot"}');
INSERT INTO "events" VALUES(1,3,'{"type":"frame-end","output":{"type":"json","value":"Hello."},"v":1,"seq":3,"at":1795358533534,"runId":"r1","frame":"f0","agent":"bot"}');
INSERT INTO "events" VALUES(1,4,'{"type":"run-end","status":"completed","response":"Hello.","output":{"type":"json","value":"Hello."},"finishReason":"stop","usage":{"requests":1,"inputTokens":10,"outputTokens":5,"totalTokens":15,"perRequest":[{"provider":"scripted","modelId":"script","agent":"bot","inputTokens":10,"outputTokens":5,"totalTokens":15}]},"handoffPath":["bot"],"v":1,"seq":4,"at":1795358533534,"runId":"r1","frame":"f0","agent":"bot"}');
INSERT INTO "events" VALUES(2,1,'{"type":"run-start","input":[{"id":"in.1","runId":"r2","role":"user","parts":[{"type":"text","text":"Pay."}]}],"sessionId":"s2","sessionVersion":"4","requestContext":{},"options":{},"v":1,"seq":1,"at":1795358533540,"runId":"r2","frame":"f0","agent":"bot"}');
INSERT INTO "events" VALUES(2,2,'{"type":"model-response","purpose":"turn","message":{"id":"f0.t1","runId":"r2","role":"assistant","parts":[{"type":"tool-call","callId":"f0.t1.c1","toolName":"pay","input":{}}],"agent":"bot"},"usage":{"inputTokens":10,"outputTokens":5,"totalTokens":15},"finishReason":"tool-calls","provider":"scripted","modelId":"script","attempts":[],"v":1,"seq":2,"at":1795358533541,"runId":"r2","frame":"f0","agent":"bot"}');
INSERT INTO "events" VALUES(2,3,'{"type":"interruption","interruption":{"id":"f0.t1.c1.approval","kind":"approval","frame":"f0","agent":"bot","callId":"f0.t1.c1","toolName":"pay","input":{},"inputHash":"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","schema":{"oneOf":[{"type":"object","properties":{"approved":{"const":true},"input":{"type":"object"}},"required":["approved"]},{"type":"object","properties":{"approved":{"const":false},"message":{"type":"string"}},"required":["approved"]}]}},"v":1,"seq":3,"at":1795358533542,"runId":"r2","frame":"f0","agent":"bot"}');
INSERT INTO "events" VALUES(2,4,'{"type":"run-pause","interruptions":["f0.t1.c1.approval"],"v":1,"seq":4,"at":1795358533543,"runId":"r2","frame":"f0","agent":"bot"}');
CREATE TABLE followers (run_id TEXT PRIMARY KEY, until REAL NOT NULL) STRICT;
CREATE TABLE inbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run INTEGER NOT NULL,
  signal_id TEXT NOT NULL,
  json TEXT NOT NULL,
  drained INTEGER NOT NULL DEFAULT 0,
  UNIQUE (run, signal_id)
) STRICT;
CREATE TABLE messages (
  session_id TEXT NOT NULL,
  place INTEGER NOT NULL,
  json TEXT NOT NULL,
  PRIMARY KEY (session_id, place)
) STRICT;
INSERT INTO "messages" VALUES('s1',1,'{"id":"in.1","runId":"r1","role":"user","parts":[{"type":"text","text":"Hello!"}]}');
INSERT INTO "messages" VALUES('s1',2,'{"id":"f0.t1","runId":"r1","role":"assistant","parts":[{"type":"text","text":"Hello."}],"agent":"bot"}');
CREATE TABLE operations (
  version INTEGER PRIMARY KEY AUTOINCREMENT,
  session_id TEXT NOT NULL,
  operation_id TEXT NOT NULL,
  UNIQUE (session_id, operation_id)
) STRICT;
INSERT INTO "operations" VALUES(1,'s1','claim:r1:1');
INSERT INTO "operations" VALUES(2,'s1','confirm:r1:1');
INSERT INTO "operations" VALUES(3,'s1','end:r1');
INSERT INTO "operations" VALUES(4,'s2','claim:r2:1');
INSERT INTO "operations" VALUES(5,'s2','confirm:r2:1');
CREATE TABLE runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id TEXT NOT NULL UNIQUE,
  owner TEXT,
  session_id TEXT,
  request_hash TEXT,
  header TEXT NOT NULL,
  seq INTEGER NOT NULL,
  ended INTEGER NOT NULL DEFAULT 0,
  token INTEGER NOT NULL,
  holder TEXT,
  expires_at REAL,
  attempts INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO "runs" VALUES(1,'r1',NULL,'s1',NULL,'{"runId":"r1","agent":"bot","sessionId":"s1","createdAt":1795358533455}',4,1,1,NULL,NULL,0);
INSERT INTO "runs" VALUES(2,'r2',NULL,'s2',NULL,'{"runId":"r2","agent":"bot","sessionId":"s2","createdAt":1795358533539}',4,0,1,NULL,NULL,0);
CREATE TABLE sessions (
  session_id TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  owner TEXT,
  active_agent TEXT,
  active_run_id TEXT,
  active_since REAL,
  active_confirmed INTEGER,
  closed INTEGER,
  state TEXT NOT NULL,
  updated_at REAL NOT NULL
) STRICT;
INSERT INTO "sessions" VALUES('s1',3,NULL,'bot',NULL,NULL,NULL,NULL,'{}',1795358533537.0);
INSERT INTO "sessions" VALUES('s2',5,NULL,NULL,'r2',1795358533539.0,1,NULL,'{}',1795358533540.0);
CREATE INDEX runs_by_owner ON runs (owner, id);
CREATE INDEX runs_by_session ON runs (session_id, id);
CREATE INDEX runs_unfinished ON runs (id) WHERE ended = 0;
CREATE INDEX sessions_by_version ON sessions (version);
CREATE INDEX sessions_by_owner ON sessions (owner, version);
CREATE INDEX deltas_by_run ON deltas (run_id, id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('operations',5);
INSERT INTO "sqlite_sequence" VALUES('runs',2);
PRAGMA application_id = 1097287278;
PRAGMA user_version = 1;
COMMIT;
