package task

import (
	"maps"
	"strings"
	"testing"
)

// What Kafka Streams 4.3.1 committed, and what it stood for.
var golden = []struct {
	text string
	m    metadata
}{
	{"AgAAAAAAAAA1", metadata{time: 53}},
	{"AgAAAAAAAAA7AAAAAQAAAAN3aW4AAAAAAAAALg==", metadata{time: 59, progress: map[string]int64{"win": 46}}},
}

func TestMetadataIsKafkaStreamsFormat(t *testing.T) {
	for _, g := range golden {
		if got := g.m.encode(); got != g.text {
			t.Errorf("encode(%+v) = %s, want %s", g.m, got, g.text)
		}
		got, err := decodeMetadata(g.text)
		if err != nil || got.time != g.m.time || !maps.Equal(got.progress, g.m.progress) {
			t.Errorf("decode(%s) = %+v, %v, want %+v", g.text, got, err, g.m)
		}
	}
}

func TestMetadataOfSeveralOperatorsIsWrittenInOneOrder(t *testing.T) {
	m := metadata{time: 7, progress: map[string]int64{"zoo": 1, "": 2, "bär": 3, "a": -4}}
	const want = "AgAAAAAAAAAHAAAABAAAAAAAAAAAAAAAAgAAAAFh//////////wAAAAEYsOkcgAAAAAAAAADAAAAA3pvbwAAAAAAAAAB"
	for range 20 {
		if got := m.encode(); got != want {
			t.Fatalf("encode = %s, want %s", got, want)
		}
	}
}

func TestMetadataOfVersionOneIsRead(t *testing.T) {
	m, err := decodeMetadata("AQAAAAAAAAA1")
	if err != nil || m.time != 53 || m.progress != nil {
		t.Errorf("decode = %+v, %v, want time 53", m, err)
	}
	if m, err = decodeMetadata("AQAAAAAAAAA1/////w=="); err != nil || m.time != 53 {
		t.Errorf("bytes behind the time of version 1: %+v, %v, want time 53", m, err)
	}
}

func TestMetadataThatLiesIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"not base64":                    "committed by hand",
		"unpadded":                      "AgAAAAAAAAA",
		"no bytes":                      "",
		"no time":                       "AgAA",
		"version 3":                     "AwAAAAAAAAA1",
		"time before -1":                "Av/////////g",
		"count cut off":                 "AgAAAAAAAAA1AAA=",
		"negative count":                "AgAAAAAAAAA1/////w==",
		"more entries than bytes":       "AgAAAAAAAAA1f////w==",
		"name longer than what follows": "AgAAAAAAAAA7AAAAAQAAAP93aW4AAAAAAAAALg==",
		"negative length of a name":     "AgAAAAAAAAA7AAAAAf////93aW4AAAAAAAAALg==",
		"far too long":                  strings.Repeat("A", maxMetadata+4),
	} {
		if m, err := decodeMetadata(text); err == nil {
			t.Errorf("%s: decoded as %+v", name, m)
		}
	}
}

func FuzzMetadata(f *testing.F) {
	for _, g := range golden {
		f.Add(g.text)
	}
	f.Add("AgAAAAAAAAA1/////w==")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := decodeMetadata(text)
		if err != nil {
			return
		}
		again, err := decodeMetadata(m.encode())
		if err != nil || again.time != m.time || !maps.Equal(again.progress, m.progress) {
			t.Errorf("%q: %+v became %+v, %v", text, m, again, err)
		}
	})
}
