package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/millrace-streams/millrace/internal/testkafka"
)

const (
	officialImage = "apache/kafka"
	builtImage    = "millrace/kafka" // by image/build.sh, where nothing can be pulled

	// Labels of all that is made in the engine. A lock file that nobody holds says that the test process is gone.
	lockLabel = "org.millrace.kafkatest.lock"
	hostLabel = "org.millrace.kafkatest.host"
)

// An engine runs containers.
type engine struct {
	docker *testcontainers.DockerClient
	local  bool // its socket is a file: it is on this machine
}

// findEngine connects to the container engine, if one answers.
func findEngine(ctx context.Context) (*engine, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	// Testcontainers reads these once, when it first looks for an engine.
	if err := setenv("TESTCONTAINERS_RYUK_DISABLED", "true"); err != nil {
		return nil, err
	}
	host := os.Getenv("DOCKER_HOST")
	if host == "" || strings.HasPrefix(host, "unix://") { // else, inside a container, it would take the gateway for the engine's host
		if err := setenv("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1"); err != nil {
			return nil, err
		}
	}
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err == nil {
		_, err = docker.Ping(ctx, client.PingOptions{})
	}
	if err != nil {
		if docker != nil {
			err = errors.Join(err, docker.Close())
		}
		return nil, &unable{fmt.Sprintf("no container engine answers: %v", err)}
	}
	return &engine{docker, strings.HasPrefix(docker.DaemonHost(), "unix://")}, nil
}

// setenv sets a variable that is not set.
func setenv(name, value string) error {
	if _, ok := os.LookupEnv(name); ok {
		return nil
	}
	if err := os.Setenv(name, value); err != nil {
		return fmt.Errorf("kafkatest: %w", err)
	}
	return nil
}

// image finds the image of a version, or pulls it; what is there already comes first. It returns its name and version.
func (e *engine) image(ctx context.Context, version string) (name, full string, err error) {
	full, err = testkafka.FullVersion(version)
	if err != nil {
		return "", "", err
	}
	names := candidates(os.Getenv("KAFKA_IMAGE"), version, full)
	for _, name := range append(names, builtImage+":"+full) {
		if _, err := e.docker.ImageInspect(ctx, name); err == nil {
			return name, tagOf(name, full), nil
		}
	}
	var tried []string
	for _, name := range names {
		pulled, err := e.docker.ImagePull(ctx, name, client.ImagePullOptions{})
		if err == nil {
			err = pulled.Wait(ctx)
		}
		if err == nil {
			return name, tagOf(name, full), nil
		}
		tried = append(tried, fmt.Sprintf("%s cannot be pulled: %v", name, err))
	}
	return "", "", &unable{strings.Join(tried, ", ")}
}

// candidates are the images to try: the one named, unless its tag is another version; that repository's of the version;
// the official one.
func candidates(named, version, full string) []string {
	var list []string
	if named != "" {
		repository, tag := named, ""
		if i := strings.LastIndexByte(named, ':'); i > strings.LastIndexByte(named, '/') {
			repository, tag = named[:i], named[i+1:]
		}
		if testkafka.SameVersion(tag, version) {
			return []string{named}
		}
		list = append(list, repository+":"+full)
	}
	return append(list, officialImage+":"+full)
}

// tagOf reads the version from an image's tag, if it is one.
func tagOf(image, otherwise string) string {
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		if full, err := testkafka.FullVersion(image[i+1:]); err == nil {
			return full
		}
	}
	return otherwise
}

// claim makes the labels of what one cluster starts, and the lock that says its test process lives.
func claim() (labels map[string]string, lock *os.File, err error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, nil, fmt.Errorf("kafkatest: %w", err)
	}
	file, err := os.CreateTemp("", "millrace-kafkatest-*.lock")
	if err != nil {
		return nil, nil, fmt.Errorf("kafkatest: no lock for containers: %w", err)
	}
	file.Close()
	if lock, err = testkafka.TryLock(file.Name()); err != nil {
		return nil, nil, err
	}
	return map[string]string{lockLabel: file.Name(), hostLabel: host}, lock, nil
}

// sweep removes what test processes on this machine left behind when they were killed.
func (e *engine) sweep(ctx context.Context) {
	host, err := os.Hostname()
	if err != nil {
		return
	}
	ours := make(client.Filters).Add("label", hostLabel+"="+host)
	dead := func(labels map[string]string) bool {
		path := labels[lockLabel]
		if _, err := os.Stat(path); err != nil {
			return filepath.IsAbs(path) // it has ended, and could not remove everything
		}
		lock, err := testkafka.TryLock(path)
		if err != nil {
			return false
		}
		lock.Close()
		return true
	}
	containers, err := e.docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: ours})
	if err != nil {
		return // the next one tries again; so below
	}
	locks := map[string]bool{}
	for _, c := range containers.Items {
		if dead(c.Labels) {
			locks[c.Labels[lockLabel]] = true
			_, _ = e.docker.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		}
	}
	networks, err := e.docker.NetworkList(ctx, client.NetworkListOptions{Filters: ours})
	if err != nil {
		return
	}
	for _, n := range networks.Items {
		if dead(n.Labels) {
			locks[n.Labels[lockLabel]] = true
			_, _ = e.docker.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
		}
	}
	for path := range locks {
		_ = os.Remove(path)
	}
}
