package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCommandLine(t *testing.T) {
	t.Setenv("KAFKA_BROKERS", "named:9092")
	dir := t.TempDir()
	for _, tc := range []struct {
		args     string
		code     int
		out, err string // what must be in them
	}{
		{"", 2, "", "usage: kafka"},
		{"up down", 2, "", "usage: kafka"},
		{"upp", 2, "", `no command "upp"`},
		{"-nonsense up", 2, "", "nonsense"},
		{"-dir " + dir + " env", 1, "", "make kafka-up"},
		{"-dir " + dir + " down", 0, "", "no broker is up"},
		{"jars", 0, "", ""},
	} {
		var out, errs strings.Builder
		code := run(t.Context(), strings.Fields(tc.args), &out, &errs)
		if code != tc.code || out.String() != tc.out || !strings.Contains(errs.String(), tc.err) {
			t.Errorf("kafka %s: exit code %d, out %q, err %q; want %d, %q, %q", tc.args, code, &out, &errs, tc.code, tc.out, tc.err)
		}
	}
}

func TestMissingKafkaIsOneLineUnlessRequired(t *testing.T) {
	t.Setenv("KAFKA_BROKERS", "")
	t.Setenv("JAVA_HOME", t.TempDir())
	for required, code := range map[string]int{"": 0, "1": 1} {
		t.Setenv("MILLRACE_REQUIRE_KAFKA", required)
		var out, errs strings.Builder
		if got := run(t.Context(), []string{"jars"}, &out, &errs); got != code || strings.Count(errs.String(), "\n") != 1 {
			t.Errorf("MILLRACE_REQUIRE_KAFKA=%s: exit code %d, %q; want %d and one line", required, got, &errs, code)
		}
	}
}

func TestJarsOfAVersionAreNamed(t *testing.T) {
	bin, libs := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "java"), []byte("#!/bin/sh\necho 'openjdk version \"17.0.15\"'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(libs, "kafka_2.13-3.9.1.jar"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":/usr/bin:/bin")
	t.Setenv("JAVA_HOME", "")
	t.Setenv("KAFKA_LIBS", libs)
	t.Setenv("KAFKA_BROKERS", "named:9092") // an image is built of jars, whatever tests run on
	for _, asked := range []string{"3.9", ""} {
		var out, errs strings.Builder
		if code := run(t.Context(), []string{"-version", asked, "jars"}, &out, &errs); code != 0 || out.String() != "3.9.1 "+libs+"\n" {
			t.Errorf("-version %q: exit code %d, %q, %q; want the version and the folder", asked, code, &out, &errs)
		}
	}
	t.Setenv("JAVA_HOME", t.TempDir())
	var out, errs strings.Builder
	if code := run(t.Context(), []string{"-version", "3.9", "jars"}, &out, &errs); code != 1 {
		t.Errorf("no Java: exit code %d, %q; want a failure, since somebody asked", code, &errs)
	}
}
