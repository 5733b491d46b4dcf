package statedir

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestFormatOfTheMarkerStaysAsItIs(t *testing.T) {
	want := marker{1, "word-count", "0c8c1c6e-6f2b-4b57-9c44-0e8c5f1f0a01", 3}
	golden, err := os.ReadFile("testdata/process-1.json")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), markerFile)
	if err := writeMarker(path, want, syncFile); err != nil {
		t.Fatal(err)
	}
	if written, err := os.ReadFile(path); err != nil || string(written) != string(golden) {
		t.Errorf("%v\n%s\nwant\n%s", err, written, golden)
	}
	if got, err := parseMarker(golden); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
}

// The content is on disk before it gets the name, the name before writeMarker returns: a crash at any moment leaves the
// old marker or the new one.
func TestMarkerIsReplacedWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, markerFile)
	old, new := newMarker("app"), newMarker("app")
	if err := writeMarker(path, old, syncFile); err != nil {
		t.Fatal(err)
	}
	type step struct {
		synced string
		named  marker // what a restart would find
		next   marker // what is in the file being synced, if it is one
	}
	var steps []step
	err := writeMarker(path, new, func(f *os.File) error {
		named, err := readMarker(path)
		if err != nil {
			t.Error(err)
		}
		next, _ := readMarker(f.Name())
		steps = append(steps, step{f.Name(), named, next})
		return f.Sync()
	})
	if want := []step{{path + ".next", old, new}, {dir, new, marker{}}}; err != nil || !reflect.DeepEqual(steps, want) {
		t.Errorf("%v\n%+v\nwant\n%+v", err, steps, want)
	}

	broken := errors.New("disk is gone")
	var access *AccessError
	if err := writeMarker(path, old, func(*os.File) error { return broken }); !errors.Is(err, broken) || !errors.As(err, &access) {
		t.Errorf("error %v", err)
	}
	if now, err := readMarker(path); err != nil || now != new {
		t.Errorf("after a failed write: %+v, %v", now, err)
	}
}

func FuzzParseMarker(f *testing.F) {
	golden, err := os.ReadFile("testdata/process-1.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	f.Add([]byte(`{"format":1,"application":"a","process":"0c8c1c6e-6f2b-4b57-9c44-0e8c5f1f0a01"}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parseMarker(text)
		if err == nil && (m.Format != 1 || m.Application == "" || !uuid.MatchString(m.Process) || m.MaxWorker < -1) {
			t.Errorf("%s was read as %+v", text, m)
		}
	})
}
