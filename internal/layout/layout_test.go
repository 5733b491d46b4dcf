package layout_test

import (
	"testing"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/internal/record"
)

func TestRecordsAndRowsOfAKeyValueStoreSayTheSame(t *testing.T) {
	f := layout.Of(&decl.Store{Name: "s"})
	w := layout.NewWriter([]byte("PP"))
	for _, e := range []layout.Entry{
		{Key: []byte("k"), Value: []byte("v"), Time: 7}, {Key: []byte{}, Value: []byte{}, Time: 8}, {Key: []byte("gone"), Time: 9},
	} {
		f.Rows(w, &e)
		w.Next()
	}
	rows := w.Rows()
	if len(rows) != 3 || rows[2].Value != nil || rows[1].Value == nil {
		t.Fatalf("rows %q, want three, the second with a value and the third without", rows)
	}
	var a record.Arena
	for i, want := range []string{"k=v@7", "=@8", "gone=@99"} {
		e, ok := f.Record(&a, rows[i].Key[2:], rows[i].Value, rows[i].Value != nil, 99)
		if got := string(e.Key) + "=" + string(e.Value) + "@" + map[int64]string{7: "7", 8: "8", 99: "99"}[e.Time]; !ok || got != want {
			t.Errorf("row %d is logged as %s, want %s", i, got, want)
		}
	}
}
