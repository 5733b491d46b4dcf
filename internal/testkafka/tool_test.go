package testkafka

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestToolRunsOnTheJarsOfABrokerAndOneMore(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "go.mod"), []byte(module), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	onPath(t, script(t, "mvn", `for a in "$@"; do case $a in -DoutputDirectory=*) mkdir "${a#*=}"; echo run >>`+root+`/runs;; esac; done`))
	kit := Kit{Java: script(t, "java", `echo "$@" >>`+root+`/said; case "$*" in *fail*) echo what went wrong; exit 1;; esac`), Libs: "/libs", Version: "4.3.1"}
	for range 2 {
		if err := kit.Tool(t.Context(), "org.apache.kafka.tools.AclCommand", "--list"); err != nil {
			t.Fatal(err)
		}
	}
	if runs := read(t, filepath.Join(root, "runs")); runs != "run\n" {
		t.Errorf("Maven ran %d times; want once", strings.Count(runs, "run"))
	}
	want := "-cp " + filepath.Join(root, ".kafka", "tools-4.3.1", "*") + ":/libs/* org.apache.kafka.tools.AclCommand --list\n"
	if said := read(t, filepath.Join(root, "said")); !strings.HasSuffix(said, want) {
		t.Errorf("Java was run as %q; want %q at the end", said, want)
	}
	if err := kit.Tool(t.Context(), "org.apache.kafka.tools.AclCommand", "fail"); err == nil || !strings.Contains(err.Error(), "what went wrong") {
		t.Errorf("a tool that fails: %v; want what it said", err)
	}
}
