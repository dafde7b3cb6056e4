// The tables and views of the SQLite export, version 1. The manual documents them.
// Must never change the meaning of a column: queries depend on them; columns may be added behind.
// Run by the SQLite exporter.
#pragma once

namespace umaskaudit::exports {

inline constexpr char kSqliteTables[] = R"sql(
PRAGMA user_version = 1;
CREATE TABLE run(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE processes(
  seq INTEGER PRIMARY KEY, time_ns INTEGER, pid INTEGER, ppid INTEGER, origin TEXT,
  fs INTEGER, mask INTEGER, uid INTEGER, gid INTEGER,
  comm TEXT, comm_bytes BLOB, exe TEXT, exe_bytes BLOB);
CREATE TABLE umask_events(
  id INTEGER PRIMARY KEY, seq INTEGER, time_ns INTEGER, pid INTEGER, tid INTEGER,
  thread TEXT, thread_bytes BLOB, fs INTEGER, call TEXT, stack INTEGER,
  old_mask INTEGER, new_mask INTEGER, argument INTEGER, drift INTEGER,
  expected INTEGER);
CREATE TABLE objects(
  seq INTEGER PRIMARY KEY, time_ns INTEGER, pid INTEGER, tid INTEGER,
  thread TEXT, thread_bytes BLOB, fs INTEGER, call TEXT, stack INTEGER,
  kind TEXT, path TEXT, path_bytes BLOB, requested INTEGER, mask INTEGER, final INTEGER,
  certain INTEGER, mask_set_by INTEGER REFERENCES umask_events(id), mask_moved INTEGER,
  derivation TEXT, dev INTEGER, ino INTEGER, uid INTEGER, gid INTEGER);
CREATE TABLE final_states(
  object INTEGER REFERENCES objects(seq), path TEXT, path_bytes BLOB, mode INTEGER, state TEXT,
  changes INTEGER, mode_set_by INTEGER REFERENCES changes(seq));
CREATE TABLE opened(
  seq INTEGER PRIMARY KEY, time_ns INTEGER, pid INTEGER, tid INTEGER,
  thread TEXT, thread_bytes BLOB, fs INTEGER, call TEXT, stack INTEGER,
  kind TEXT, path TEXT, path_bytes BLOB, requested INTEGER, mask INTEGER, errno INTEGER,
  count INTEGER);
CREATE TABLE changes(
  seq INTEGER PRIMARY KEY, time_ns INTEGER, pid INTEGER, tid INTEGER,
  thread TEXT, thread_bytes BLOB, fs INTEGER, call TEXT, stack INTEGER,
  path TEXT, path_bytes BLOB, new_path TEXT, new_path_bytes BLOB,
  requested INTEGER, final INTEGER, errno INTEGER, dev INTEGER, ino INTEGER, exchanged INTEGER);
CREATE TABLE unseen(seq INTEGER PRIMARY KEY, time_ns INTEGER, pid INTEGER,
  what TEXT, reason TEXT, count INTEGER, text TEXT, text_bytes BLOB);
CREATE TABLE notes(seq INTEGER PRIMARY KEY, time_ns INTEGER, pid INTEGER, tid INTEGER,
  text TEXT, text_bytes BLOB);
CREATE TABLE findings(
  id INTEGER PRIMARY KEY, rule TEXT, severity TEXT, cwe INTEGER, title TEXT,
  message TEXT, message_bytes BLOB, advice TEXT, count INTEGER, fingerprint TEXT,
  culprit_seq INTEGER, culprit_stack INTEGER, window_ns INTEGER);
CREATE TABLE hits(rule TEXT, object INTEGER REFERENCES objects(seq), expected_mask INTEGER,
  expected INTEGER);
CREATE TABLE frames(
  stack INTEGER, depth INTEGER, module TEXT, module_bytes BLOB, build_id TEXT, offset INTEGER,
  symbol TEXT, symbol_bytes BLOB, file TEXT, file_bytes BLOB, line INTEGER, inlined INTEGER,
  language TEXT, folded INTEGER,
  PRIMARY KEY(stack, depth)) WITHOUT ROWID;
)sql";

// Made last: an index that grows with every row costs more than one made at once.
inline constexpr char kSqliteViews[] = R"sql(
CREATE VIEW v_code AS
  SELECT * FROM frames f WHERE folded = 0 AND NOT EXISTS (
    SELECT 1 FROM frames g WHERE g.stack = f.stack AND g.folded = 0 AND g.depth < f.depth);
CREATE INDEX objects_path ON objects(path);
CREATE INDEX hits_object ON hits(object);
CREATE INDEX final_states_object ON final_states(object);
CREATE INDEX final_states_path ON final_states(path);
CREATE VIEW v_open_at_end AS
  SELECT o.seq, f.path, o.kind, printf('%04o', f.mode) AS mode, printf('%04o', o.final) AS born,
         c.call AS set_by, c.pid, c.thread, c.stack
  FROM final_states f JOIN objects o ON o.seq = f.object
       LEFT JOIN changes c ON c.seq = f.mode_set_by
  WHERE f.state = 'there' AND f.mode & 2 AND NOT (o.kind = 'dir' AND f.mode & 512);
CREATE VIEW v_leaked AS
  SELECT o.seq, o.path, o.kind, printf('%04o', o.final) AS mode,
         printf('%04o', h.expected) AS expected, printf('%04o', o.mask) AS mask, h.rule,
         o.pid, o.thread AS victim, u.tid AS culprit_tid, u.thread AS culprit,
         u.stack AS culprit_stack
  FROM hits h JOIN objects o ON o.seq = h.object LEFT JOIN umask_events u ON u.id = o.mask_set_by
  WHERE h.rule IN ('window-overlap', 'strict-overlap', 'lost-mask', 'leaked-mask');
CREATE VIEW v_world_writable AS
  SELECT seq, path, kind, printf('%04o', final) AS mode, printf('%04o', requested) AS requested,
         printf('%04o', mask) AS mask, pid, thread, stack
  FROM objects WHERE final & 2 AND NOT (kind = 'dir' AND final & 512);
)sql";

}  // namespace umaskaudit::exports
