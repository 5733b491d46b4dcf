package secured

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace-streams/millrace"
	"github.com/millrace-streams/millrace/kafkatest"
)

// An app gets TLS and SASL through Config.Client alone, as the guide shows it, also on a cluster whose leaders are elsewhere.
func TestCountOverTLSAndSCRAMOnThreeBrokers(t *testing.T) {
	c := kafkatest.Start(t, kafkatest.TLS(), kafkatest.SCRAM(), kafkatest.Brokers(3), kafkatest.OrSkip())
	const app, words, each = "word-count", 5, 20
	c.CreateTopics(3, app+".in", app+".out")
	conf := appConfig(t, c, app)
	user := c.User(app)
	keep(t, map[string][]byte{"ca.pem": user.CA})
	t.Setenv("KAFKA_PASSWORD", user.Password)
	if err := withPassword(&conf); err != nil {
		t.Fatal(err)
	}
	t.Run("wrong password", func(t *testing.T) {
		t.Setenv("KAFKA_PASSWORD", "guessed")
		wrong := appConfig(t, c, app)
		if err := withPassword(&wrong); err != nil {
			t.Fatal(err)
		}
		app, stop := run(t, wrong)
		if err := app.WaitFor(t.Context(), millrace.Failed); err != nil {
			t.Fatal(err)
		}
		if err := stop(); c.Way() != kafkatest.Fake && !strings.Contains(err.Error(), "password") { // kfake hangs up without a word
			t.Errorf("the app ended with: %v; want a word of the password", err)
		}
	})
	for round := 1; round <= 2; round++ { // the second goes on where the first ended
		_, stop := run(t, conf)
		write(c, app, words, each)
		counted(t, c, app, words, round*each)
		if err := stop(); err != nil {
			t.Fatalf("run %d: %v", round, err)
		}
	}
}

// keep writes files into a folder, and goes there.
func keep(t *testing.T, files map[string][]byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	return dir
}
