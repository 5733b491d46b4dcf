package layout

import (
	"strconv"

	"github.com/millrace-streams/millrace/internal/decl"
)

// Place returns the name under which a store's rows are kept on disk: its own, and what tells their form from that of the
// same store declared otherwise. A program that changes the kind of a store, its segments or what is kept beside its rows
// so finds no rows that it would misread: they are restored from the changelog. Plain key-value stores have their own name.
func Place(d *decl.Store) string {
	if form := form(d); form != "" {
		return d.Name + "!" + form // no name of a store has a '!'
	}
	return d.Name
}

func form(d *decl.Store) string {
	switch {
	case d.Kind == decl.KeyValue:
		return marks("h", d.Headers, "l", d.LRU > 0, "t", d.TTL > 0)
	case d.Kind == decl.Window && d.Duplicates:
		return "duplicates" + strconv.FormatInt(Segment(d), 10)
	case d.Kind == decl.Window:
		f := NewWindowKeys(d)
		return "window" + strconv.FormatInt(f.Segment(), 10) + marks("i", f.Indexed())
	case d.Kind == decl.Session:
		f := NewSessionKeys(d)
		return "session" + strconv.FormatInt(f.Segment(), 10) + marks("i", f.Indexed())
	case d.Kind == decl.Versioned:
		return "versioned2" // 1 had a flag that said what the changelog was told
	case d.Kind == decl.Suppressed:
		return "suppressed"
	case d.Kind == decl.Held:
		return "held"
	}
	panic("layout: no form of " + d.Kind.String() + " stores")
}

// marks returns the letters of what is so: pairs of a letter and whether.
func marks(pairs ...any) (s string) {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1].(bool) {
			s += pairs[i].(string)
		}
	}
	return s
}
