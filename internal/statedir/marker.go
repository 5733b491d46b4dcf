package statedir

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

const (
	markerFile   = "process.json"
	markerFormat = 1
)

// A marker says whose slot it is.
type marker struct {
	Format      int    `json:"format"` // markerFormat
	Application string `json:"application"`
	Process     string `json:"process"`
	MaxWorker   int    `json:"maxWorker"` // -1: no worker was ever recorded
}

func newMarker(applicationID string) marker {
	return marker{markerFormat, applicationID, newID(), -1}
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// readMarker returns os.ErrNotExist if there is none, and otherwise a *MarkerError or an *AccessError.
func readMarker(path string) (marker, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return marker{}, err
	}
	if err != nil {
		return marker{}, &AccessError{path, err}
	}
	m, err := parseMarker(text)
	if err != nil {
		return marker{}, &MarkerError{path, err}
	}
	return m, nil
}

func parseMarker(text []byte) (marker, error) {
	var format struct{ Format int }
	if err := json.Unmarshal(text, &format); err != nil {
		return marker{}, err
	}
	if format.Format != markerFormat {
		return marker{}, fmt.Errorf("it has format %d, this version reads format %d", format.Format, markerFormat)
	}
	var m marker
	if err := json.Unmarshal(text, &m); err != nil {
		return marker{}, err
	}
	switch {
	case m.Application == "":
		return marker{}, errors.New("it names no application")
	case !uuid.MatchString(m.Process):
		return marker{}, fmt.Errorf("its process id %q is no UUID", m.Process)
	case m.MaxWorker < -1:
		return marker{}, fmt.Errorf("its highest worker index is %d", m.MaxWorker)
	}
	return m, nil
}

// writeMarker replaces the marker, whole or not at all: the new one is on disk before it gets the name, and the name
// before writeMarker returns.
func writeMarker(path string, m marker, sync func(*os.File) error) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("statedir: %w", err)
	}
	next := path + ".next"
	if err := writeFile(next, append(text, '\n'), sync); err != nil {
		return &AccessError{next, err}
	}
	if err := os.Rename(next, path); err != nil {
		return &AccessError{path, err}
	}
	return syncDir(filepath.Dir(path), sync)
}

func writeFile(path string, text []byte, sync func(*os.File) error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	if _, err := f.Write(text); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := sync(f); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}
