package main

import (
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
