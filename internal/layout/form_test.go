package layout_test

import (
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/layout"
)

// A program whose store has another form now must not find the rows of the old one.
func TestRowsOfAnotherFormAreKeptElsewhere(t *testing.T) {
	seen := map[string]*decl.Store{}
	for _, d := range []*decl.Store{
		{Kind: decl.KeyValue}, {Kind: decl.KeyValue, Headers: true}, {Kind: decl.KeyValue, LRU: 5}, {Kind: decl.KeyValue, TTL: time.Hour},
		{Kind: decl.Window, Retention: time.Hour}, {Kind: decl.Window, Retention: 2 * time.Hour}, {Kind: decl.Window, Retention: time.Hour, Segment: time.Minute},
		{Kind: decl.Window, Retention: time.Hour, ByTime: true}, {Kind: decl.Window, Retention: time.Hour, Advance: time.Second},
		{Kind: decl.Window, Retention: time.Hour, Duplicates: true}, {Kind: decl.Window, Retention: 2 * time.Hour, Duplicates: true},
		{Kind: decl.Session, Retention: time.Hour}, {Kind: decl.Session, Retention: 2 * time.Hour}, {Kind: decl.Session, Retention: time.Hour, ByTime: true},
		{Kind: decl.Versioned, History: time.Hour}, {Kind: decl.Suppressed}, {Kind: decl.Held},
	} {
		d.Name = "store"
		if other := seen[layout.Place(d)]; other != nil {
			t.Errorf("%+v and %+v are both kept in %q", other, d, layout.Place(d))
		}
		seen[layout.Place(d)] = d
	}
	for _, d := range []*decl.Store{ // what is no matter of form
		{Name: "store"}, {Name: "store", NoCache: true, TopicConfig: map[string]string{"a": "b"}},
	} {
		if layout.Place(d) != "store" {
			t.Errorf("%+v is kept in %q", d, layout.Place(d))
		}
	}
	a := &decl.Store{Kind: decl.Window, Advance: time.Second, Retention: time.Hour}
	b := &decl.Store{Kind: decl.Window, Advance: time.Minute, Retention: time.Minute}
	if layout.Place(a) != layout.Place(b) {
		t.Error("rows that begin with the start of their window do not depend on how long they stay")
	}
}
