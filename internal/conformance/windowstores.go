package conformance

import (
	"fmt"
	"iter"
	"strings"

	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/window"
)

// declareWindows makes a store of windows, sessions or versions for processors.
func (p *program[S, N]) declareWindows(n *Node, kind string, opts []store.Option) (d declared[S]) {
	d.name = n.ID
	text, retention := p.text, n.span("retentionMs")
	switch kind {
	case "window":
		if n.flag("duplicates", false) {
			opts = append(opts, store.Duplicates())
		}
		spec := store.NewWindow(n.ID, text.serde, text.serde, n.span("sizeMs"), retention, opts...)
		d.spec, d.windows = spec, &spec
		p.dumps[n.ID] = func(d *reading) Store { return windowRows(d.Windows(spec), text, text, false) }
	case "session":
		spec := store.NewSession(n.ID, text.serde, text.serde, retention, opts...)
		d.spec, d.sessions = spec, &spec
		p.dumps[n.ID] = func(d *reading) Store { return sessionRows(d.Sessions(spec), text, text) }
	case "versioned":
		spec := store.NewVersioned(n.ID, text.serde, text.serde, retention, opts...)
		d.spec, d.versions = spec, &spec
		p.dumps[n.ID] = func(d *reading) Store { return versionedRows(d, n.ID, d.Versions(spec), text, text) }
	default:
		unknown("kind of store %q", kind)
	}
	return d
}

// windowProcessor puts records into a store of windows, sessions or versions and answers with what it then holds; nil for
// another name.
func (p *program[S, N]) windowProcessor(n *Node, name string, stores declareds[S]) func(t *topology.Task, out sender) func(textRecord) error {
	text := p.text
	switch name {
	case "window":
		spec, back, ahead := stores.first(n).windows, n.span("backMs"), n.span("aheadMs")
		if spec == nil {
			unknown("%s: not a store of windows", n)
		}
		return func(t *topology.Task, out sender) func(textRecord) error {
			rows := t.Window(*spec)
			return func(r textRecord) error {
				key := text.of(r.Key)
				if r.Value == nil {
					rows.Delete(key, r.Time)
				} else {
					rows.Put(key, r.Time, text.of(r.Value))
				}
				var b strings.Builder
				for span, v := range rows.Fetch(key, notBefore1970(r.Time.Add(-back)), r.Time.Add(ahead)) {
					fmt.Fprintf(&b, "%d=%s;", span.Start().UnixMilli(), *text.text(v))
				}
				out.value(r, b.String())
				return nil
			}
		}
	case "session":
		spec, back, ahead := stores.first(n).sessions, n.span("backMs"), n.span("aheadMs")
		if spec == nil {
			unknown("%s: not a store of sessions", n)
		}
		return func(t *topology.Task, out sender) func(textRecord) error {
			rows := t.Session(*spec)
			return func(r textRecord) error {
				key, start := text.of(r.Key), notBefore1970(r.Time.Add(-back))
				if span := window.Between(start, r.Time); r.Value == nil {
					rows.Delete(key, span)
				} else {
					rows.Put(key, span, text.of(r.Value))
				}
				out.value(r, sessionsText(text, r.Key, rows.Find(key, notBefore1970(start.Add(-back)), r.Time.Add(ahead))))
				return nil
			}
		}
	case "versioned":
		spec, back := stores.first(n).versions, n.span("backMs")
		if spec == nil {
			unknown("%s: not a store of versions", n)
		}
		return func(t *topology.Task, out sender) func(textRecord) error {
			rows := t.Versioned(*spec)
			return func(r textRecord) error {
				key := text.of(r.Key)
				until, ok := rows.Put(key, text.of(r.Value), r.Time)
				to := int64(-1) // the newest version; what is refused shows the smallest number
				switch {
				case !ok:
					to = refused
				case !until.IsZero():
					to = until.UnixMilli()
				}
				now, has := rows.Get(key)
				then, had := rows.GetAsOf(key, notBefore1970(r.Time.Add(-back)))
				out.value(r, fmt.Sprintf("%d/%s/%s", to, versionText(text, now, has), versionText(text, then, had)))
				return nil
			}
		}
	}
	return nil
}

// refused is what Kafka Streams returns for a put older than the history (VersionedKeyValueStore.PUT_RETURN_CODE_NOT_PUT).
const refused = -1 << 63

func sessionsText[S any](text kind[S], key *string, sessions iter.Seq2[window.Span, S]) string {
	var b strings.Builder
	for span, v := range sessions {
		fmt.Fprintf(&b, "%s@%d/%d=%s;", shown(key), span.Start().UnixMilli(), span.End().UnixMilli(), *text.text(v))
	}
	return b.String()
}

func versionText[S any](text kind[S], row store.Row[S], ok bool) string {
	if !ok {
		return null
	}
	return *stamped(*text.text(row.Value), row.Time) // typed stores of Kafka Streams forget until when a version held
}
