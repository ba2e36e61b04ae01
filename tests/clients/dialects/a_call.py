"""Puts a call and a recorded conference into a test environment's database, as telephones would have made them."""

import pathlib
import sqlite3
import sys
import time
import uuid

now = int(time.time() * 1_000_000)
database = sqlite3.connect(sys.argv[1], timeout=30)
with database:
    own = "SELECT id FROM environments WHERE kind = 'test'"
    environment = database.execute(own).fetchone()[0]
    key = lambda number: environment + number.to_bytes(8, "big")
    database.execute(
        "INSERT INTO calls (id, environment_id, property_id, direction, caller, caller_key, callee, callee_key, endpoint, endpoint_key,"
        " started_at, answered_at, ended_at, duration, disposition, prompts, country, first_call, written)"
        " VALUES (?, ?, ?, 'inbound', '+61299998888', ?, 61280001234, ?, 61280005678, ?, ?, ?, ?, 42, 'answered', '1', 'AU', TRUE, 1)",
        (uuid.uuid4().bytes, environment, environment, key(61299998888), key(61280001234), key(61280005678), now - 60_000_000,
         now - 55_000_000, now - 13_000_000))
    database.execute("INSERT INTO call_sequences (environment_id, written) VALUES (?, 1)", (environment,))
    conference = uuid.uuid4().bytes
    database.execute(
        "INSERT INTO conferences (id, environment_id, name, max_participants, require_pin, record, mute_on_entry, participants_record,"
        " member_notification, created_at, updated_at, ended_at, version) VALUES (?, ?, 'Recorded', 10, 0, 1, 0, 0, 1, ?, ?, ?, 1)",
        (conference, environment, now - 60_000_000, now, now))
    for name in ("heard.wav", "deleted.wav"):
        database.execute(
            "INSERT INTO recordings (id, environment_id, kind, conference_id, state, format, participant, object, size, length, started_at,"
            " stopped_at, version) VALUES (?, ?, 'conference', ?, 'completed', 'wav', 'all', ?, 44, 0, ?, ?, 1)",
            (uuid.uuid4().bytes, environment, conference, name, now - 60_000_000, now - 18_000_000))
        (pathlib.Path(sys.argv[1]).parent / "recordings" / name).write_bytes(
            b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\0\0\0")
    spoken = uuid.uuid4().bytes
    database.execute(
        "INSERT INTO conferences (id, environment_id, name, max_participants, require_pin, record, mute_on_entry, participants_record,"
        " member_notification, created_at, updated_at, version) VALUES (?, ?, 'Spoken', 10, 0, 0, 0, 0, 1, ?, ?, 1)",
        (spoken, environment, now - 60_000_000, now))
    database.execute(
        "INSERT INTO participants (id, conference_id, phone, role, presence, muted, on_hold, added_at, joined_at)"
        " VALUES (?, ?, 61299998888, 'listener', 'joined', 0, 0, ?, ?)", (uuid.uuid4().bytes, spoken, now, now))
