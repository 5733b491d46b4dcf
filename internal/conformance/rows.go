package conformance

import (
	"bytes"
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/window"
)

// A reading is what stores are looked at with: the driver, and what was seen in topics.
type reading struct {
	*kstest.Driver
	topics map[string][]Record
	app    string
}

// keyValueRows returns the rows of a key-value store, with their times if it shows them.
func keyValueRows[K, V any](rows store.KeyValueReader[K, V], k kind[K], v kind[V], timed bool) Store {
	s := Store{Kind: "keyValue", Rows: []Row{}}
	for key := range rows.All() {
		row, _ := rows.GetRow(key)
		r := Row{Key: []byte(*k.text(key))}.with(v.name, v.text(row.Value))
		if timed {
			r.Time = new(row.Time.UnixMilli())
		}
		s.Rows = append(s.Rows, r)
	}
	return s
}

// with returns a row with a value.
func (r Row) with(kind string, value *string) Row {
	if kind == "int64" {
		r.Number = new(number(*value))
	} else {
		r.Value = new([]byte(*value))
	}
	return r
}

// windowRows returns the rows of a store of windows, with their times if it shows them.
func windowRows[K, V any](rows store.WindowReader[K, V], k kind[K], v kind[V], timed bool) Store {
	s := Store{Kind: "window", Rows: []Row{}}
	for key, value := range rows.FetchAll(time.UnixMilli(0), time.UnixMilli(math.MaxInt64)) {
		r := windowRow(k, key).with(v.name, v.text(value))
		if timed {
			row, _ := rows.GetRow(key.Key, key.Start())
			r.Time = new(row.Time.UnixMilli())
		}
		s.Rows = append(s.Rows, r)
	}
	return s.sorted()
}

// sessionRows returns the rows of a store of sessions.
func sessionRows[K, V any](rows store.SessionReader[K, V], k kind[K], v kind[V]) Store {
	s := Store{Kind: "session", Rows: []Row{}}
	for key, value := range rows.FetchAll(time.UnixMilli(0), time.UnixMilli(math.MaxInt64)) {
		s.Rows = append(s.Rows, windowRow(k, key).with(v.name, v.text(value)))
	}
	return s.sorted()
}

func windowRow[K any](k kind[K], key window.Key[K]) Row {
	return Row{Key: []byte(*k.text(key.Key)), Window: &[2]int64{key.Start().UnixMilli(), key.End().UnixMilli()}}
}

// sorted returns the rows by key bytes, then by start and end; those of equal windows in the order they came.
func (s Store) sorted() Store {
	slices.SortStableFunc(s.Rows, func(a, b Row) int {
		return cmp.Or(bytes.Compare(a.Key, b.Key), cmp.Compare(a.Window[0], b.Window[0]), cmp.Compare(a.Window[1], b.Window[1]))
	})
	return s
}

// versionedRows returns, for each key that the store's changelog tells of, the newest version and those that held at the times
// of its records.
func versionedRows[K, V any](d *reading, name string, rows store.VersionedReader[K, V], k kind[K], v kind[V]) Store {
	times := map[string][]int64{}
	for _, r := range d.topics[d.app+"-"+name+"-changelog"] {
		times[string(*r.Key)] = append(times[string(*r.Key)], *r.Time)
	}
	version := func(row store.Row[V], ok bool) *Version {
		if !ok {
			return nil
		}
		// Typed stores of Kafka Streams forget until when a version held, so that no recording tells.
		return &Version{Value: new([]byte(*v.text(row.Value))), Time: row.Time.UnixMilli()}
	}
	s := Store{Kind: "versioned", Rows: []Row{}}
	for _, key := range slices.Sorted(maps.Keys(times)) {
		decoded, err := k.serde.Decode([]byte(key))
		if err != nil {
			panic(fatal{err.Error()})
		}
		r := Row{Key: []byte(key), Latest: version(rows.Get(decoded)), AsOf: []AsOf{}}
		slices.Sort(times[key])
		for _, at := range slices.Compact(times[key]) {
			r.AsOf = append(r.AsOf, AsOf{at, version(rows.GetAsOf(decoded, time.UnixMilli(at)))})
		}
		s.Rows = append(s.Rows, r)
	}
	return s
}
