-- What schema 0011 could hold. Never changed once released: later schemas must keep these rows.
INSERT INTO associations (id, calling_ae, called_ae, peer_address, opened_at, ended_at)
VALUES ('a1', 'CT1', 'QADAEMON', '10.0.0.1', '2026-03-01 12:00:00.000000', NULL);
INSERT INTO series (series_key, study_key, study_instance_uid, series_instance_uid, modality,
    calling_ae, state, state_since, revision, first_received_at, begun_at, last_received_at,
    instance_count, lease_until, lease_fence, attempts, reason, visit_key, patient_key, study_date)
VALUES ('68669d97ae9bc06973fb2943', '92ca6418cc749c5f1150841c', '1.2.3', '1.2.3.1', 'CT',
    'CT1', 'receiving', '2026-03-01 12:00:00.000000', 1, '2026-03-01 12:00:00.000000',
    '2026-03-01 12:00:00.000000', '2026-03-01 12:00:00.000000', 1, NULL, 0, 0, '', 'v', 'p', '20260301');
INSERT INTO series_associations (series_key, revision, association_id)
VALUES ('68669d97ae9bc06973fb2943', 1, 'a1');
INSERT INTO instances (spool_key, content_key, sop_key, series_key, revision, sop_instance_uid,
    digest, length, origin, calling_ae, peer_address, association_id, file_name, received_at,
    header, reason, kind, repeat_count)
VALUES ('k', 'c', 'o', '68669d97ae9bc06973fb2943', 1, '1.2.3.1.1',
    'd', 9, 'cstore', 'CT1', '10.0.0.1', 'a1', '', '2026-03-01 12:00:00.000000',
    '{"study_instance_uid":"1.2.3","series_instance_uid":"1.2.3.1","sop_instance_uid":"1.2.3.1.1","sop_class_uid":"1","transfer_syntax_uid":"2","elements":{"Modality":["CS",["CT"]]}}',
    '', '', 0);
INSERT INTO results (series_key, revision, inference, outcomes, models, rule_pack, predicted_at,
    judged_at, reported_at)
VALUES ('68669d97ae9bc06973fb2943', 1, '{"table_side":"top"}', '', '{}', '',
    '2026-03-01 12:00:00.000000', NULL, NULL);
INSERT INTO findings (study_key, series_key, revision, fingerprint, issue_key, rule, topic, severity, level,
    message, confidence, document, created_at)
VALUES ('92ca6418cc749c5f1150841c', '68669d97ae9bc06973fb2943', 1, 'f', 'i', 'GEOM-010', 'geometry', 2,
    'series', 'gap', NULL,
    '{"rule":"GEOM-010","topic":"geometry","severity":2,"level":"series","message":"gap"}', '2026-03-01 12:00:00.000000');
INSERT INTO suggestions (finding_id, rank, hypothesis, confidence, state, document, changed_at)
SELECT id, 0, NULL, NULL, 'open', '{"changes":[]}', '2026-03-01 12:00:00.000000' FROM findings;
INSERT INTO rejections (received_at, origin, calling_ae, peer_address, path, reason, kind, message,
    spool_key, quarantine_key)
VALUES ('2026-03-01 12:00:00.000000', 'folder', '', '', 'a.txt', 'not_dicom', '', 'a text', '', '');
INSERT INTO audit (at, who, action, subject, detail)
VALUES ('2026-03-01 12:00:00.000000', 'ana', 'recheck', '68669d97ae9bc06973fb2943', '');

INSERT INTO issues (issue_key, rule, modality, station, protocol, change, severity, message, ruling,
    muted_until, noted_at)
VALUES ('i', 'GEOM-010', 'CT', 'CT1', 'Abdomen', '', 2, 'gap', '', NULL,
    '2026-03-01 12:00:00.000000');
INSERT INTO observations (series_key, keyword, practice_key, value, at)
VALUES ('68669d97ae9bc06973fb2943', 'PatientPosition', 'p', 'HFS', '2026-03-01 12:00:00.000000');
INSERT INTO decisions (finding_id, study_key, series_key, issue_key, rule, verb, at, who, document,
    undone_at, undone_by)
SELECT id, '92ca6418cc749c5f1150841c', '68669d97ae9bc06973fb2943', 'i', 'GEOM-010', 'defer',
    '2026-03-01 12:00:00.000000', 'ana', '{}', NULL, '' FROM findings;
INSERT INTO orders (order_key, patient_key, day, source, document, told_at)
VALUES ('o', 'p', '20260301', 'worklist', '{"key":{"accession_number":"A1"},"source":"worklist"}',
    '2026-03-01 12:00:00.000000');
INSERT INTO order_lookups (visit_key, asked_at, due_at, attempts)
VALUES ('v', '2026-03-01 12:00:00.000000', '2026-03-01 13:00:00.000000', 0);
INSERT INTO previews (series_key, revision, document, bytes, attempts, judged_at, drawn_at)
VALUES ('68669d97ae9bc06973fb2943', 1, '{"frame_count":1}', 0, 0, '2026-03-01 12:00:00.000000',
    '2026-03-01 12:00:00.000000');
INSERT INTO users (name_key, name, full_name, role, password, language, created_at, failures)
VALUES ('ana', 'Ana', 'Ana Alves', 'technician', '', 'de', '2026-03-01 12:00:00.000000', 0);
INSERT INTO sessions (session_key, user_id, opened_at, seen_at, address, agent)
VALUES ('s', 1, '2026-03-01 12:00:00.000000', '2026-03-01 12:00:00.000000', '10.0.0.1', 'a');
INSERT INTO tokens (token_key, user_id, label, scopes, created_at)
VALUES ('t', 1, 'ris', 'see', '2026-03-01 12:00:00.000000');
INSERT INTO links (link_key, purpose, user_id, created_at, expires_at)
VALUES ('l', 'password', 1, '2026-03-01 12:00:00.000000', '2026-03-01 13:00:00.000000');
INSERT INTO acts (request_key, who, at, verb, closes_at, undone_at, undone_by, undone_request_key)
VALUES ('r', 'ana', '2026-03-01 12:00:00.000000', 'defer', NULL, NULL, '', '');
UPDATE decisions SET act_id = (SELECT id FROM acts), is_first = 0;
UPDATE findings SET standing = 'deferred', wake_at = '2026-03-02 12:00:00.000000', asked = '';
INSERT INTO presences (finding_id, who, since, seen_at)
SELECT id, 'ana', '2026-03-01 12:00:00.000000', '2026-03-01 12:00:05.000000' FROM findings;
INSERT INTO change_sets (uid, act_id, decision_id, series_key, document)
SELECT '2.25.1', act_id, id, '68669d97ae9bc06973fb2943', '{}' FROM decisions;
INSERT INTO outbox (change_set_uid, channel, state, due_at, attempts, lease_until, lease_fence,
    changed_at, answer)
VALUES ('2.25.1', 'folder', 'queued', '2026-03-01 12:01:00.000000', 0, NULL, 0,
    '2026-03-01 12:00:00.000000', '');
INSERT INTO order_news (patient_key, day, told_at)
VALUES ('p', '20260301', '2026-03-01 12:00:00.000000');
INSERT INTO audit_shipped (target, last_id, at) VALUES ('syslog', 1, '2026-03-01 12:00:00.000000');
INSERT INTO scores (series_key, target, model, probability, abstained, at)
VALUES ('68669d97ae9bc06973fb2943', 'view', 'view@1.0.0', 0.9, 0, '2026-03-01 12:00:00.000000');
INSERT INTO model_baselines (target, model, counts)
VALUES ('view', 'view@1.0.0', '0,0,0,0,0,0,0,0,1,2');
INSERT INTO workitems (finding_id, state, transaction_uid, who, performed, progress, changed_at)
VALUES (1, 'IN PROGRESS', '2.25.1', 'ris', '{}', '', '2026-03-01 12:00:00.000000');
INSERT INTO workitem_events (finding_id, kind, document, at)
VALUES (1, 'state', 'IN PROGRESS', '2026-03-01 12:00:00.000000');
INSERT INTO workitem_subscriptions (ae_title, finding_id, user_id, at)
VALUES ('RIS', 0, 1, '2026-03-01 12:00:00.000000');
UPDATE issues SET muted_left = 3, muted_rises = 0, resolved_at = NULL;
INSERT INTO listed (finding_id, issue_key, series_key, standing, wake_at, asked, rank, look_first,
    severity, confidence, rule, modality, station, protocol, calling_ae, patient_name, patient_id,
    accession, sought, wording, found_at)
SELECT id, 'i', series_key, 'deferred', '2026-03-02 12:00:00.000000', '', 1, 0, 2, NULL, 'GEOM-010',
    'CT', 'CT1', 'Abdomen', 'CT1', 'A^B', 'P1', 'A1', 'a b p1 a1', '{"rule":"GEOM-010"}',
    '2026-03-01 12:00:00.000000' FROM findings;
INSERT INTO lines (issue_key, standing, wake_at, asked, rank, severity, calling_ae, count,
    look_first, first_at, last_at, finding_id)
SELECT 'i', 'deferred', '2026-03-02 12:00:00.000000', '', 1, 2, 'CT1', 1, 0,
    '2026-03-01 12:00:00.000000', '2026-03-01 12:00:00.000000', id FROM findings;
INSERT INTO preferences (who, document, changed_at)
VALUES ('ana', '{"language":"de"}', '2026-03-01 12:00:00.000000');
