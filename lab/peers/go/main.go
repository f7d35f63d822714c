// A ring node on hashicorp/memberlist, driven by lines on standard input. Each line of output is a JSON object.
//
//	peer -name a -bind 127.0.0.1 -port 7946 [-key BASE64] [-label L] [-preset lan|wan|local|fast] [-meta TEXT]
//	join ADDR... | members | leave | send NAME TEXT | reliable NAME TEXT | meta TEXT | addkey B64 | usekey B64 | removekey B64 | quit
//
// The preset "fast" sets what the other implementation's preset of that name does, as far as this one has it.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

var out sync.Mutex

func say(fields map[string]any) {
	out.Lock()
	defer out.Unlock()
	fields["at"] = float64(time.Now().UnixMicro()) / 1000
	line, _ := json.Marshal(fields)
	fmt.Println(string(line))
}

type delegate struct{ meta []byte }

func (d *delegate) NodeMeta(int) []byte { return d.meta }
func (d *delegate) NotifyMsg(message []byte) {
	say(map[string]any{"event": "message", "payload": string(message)})
}
func (d *delegate) GetBroadcasts(int, int) [][]byte { return nil }
func (d *delegate) LocalState(bool) []byte          { return []byte("state of a Go node") }
func (d *delegate) MergeRemoteState(state []byte, _ bool) {
	say(map[string]any{"event": "remoteState", "payload": string(state)})
}

type events struct{}

func (events) NotifyJoin(n *memberlist.Node) {
	say(map[string]any{"event": "join", "node": n.Name, "meta": string(n.Meta)})
}
func (events) NotifyConflict(existing, other *memberlist.Node) {
	say(map[string]any{"event": "conflict", "node": existing.Name})
}
func (events) NotifyUpdate(n *memberlist.Node) {
	say(map[string]any{"event": "update", "node": n.Name, "meta": string(n.Meta)})
}
func (events) NotifyLeave(n *memberlist.Node) { say(map[string]any{"event": "leave", "node": n.Name}) }

// What the library logs, so that a test can look for complaints.
type logWriter struct{}

func (logWriter) Write(line []byte) (int, error) {
	say(map[string]any{"event": "log", "line": strings.TrimSpace(string(line))})
	return len(line), nil
}

func key(text string) []byte {
	octets, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		log.Fatal(err)
	}
	return octets
}

func main() {
	name := flag.String("name", "", "node name")
	bind := flag.String("bind", "127.0.0.1", "address")
	port := flag.Int("port", 7946, "port")
	secret := flag.String("key", "", "base64 key")
	label := flag.String("label", "", "ring label")
	preset := flag.String("preset", "lan", "lan, wan, local or fast")
	meta := flag.String("meta", "", "node meta")
	flag.Parse()

	config := memberlist.DefaultLANConfig()
	if *preset == "wan" {
		config = memberlist.DefaultWANConfig()
	} else if *preset == "local" {
		config = memberlist.DefaultLocalConfig()
	} else if *preset == "fast" {
		config.TCPTimeout, config.PushPullInterval = 5*time.Second, 15*time.Second
		config.ProbeInterval, config.ProbeTimeout = 100*time.Millisecond, 50*time.Millisecond
		config.SuspicionMult = 5
		config.GossipInterval, config.GossipNodes = 40*time.Millisecond, 4
	}
	config.Name, config.BindAddr, config.BindPort, config.AdvertisePort = *name, *bind, *port, *port
	config.Label = *label
	config.Events, config.Conflict = events{}, events{}
	config.LogOutput = logWriter{}
	d := &delegate{meta: []byte(*meta)}
	config.Delegate = d
	if *secret != "" {
		config.SecretKey = key(*secret)
	}
	list, err := memberlist.Create(config)
	if err != nil {
		log.Fatal(err)
	}
	say(map[string]any{"event": "ready", "port": *port})

	sendTo := func(name string, send func(*memberlist.Node, []byte) error, words []string) error {
		for _, n := range list.Members() {
			if n.Name == name {
				return send(n, []byte(strings.Join(words, " ")))
			}
		}
		return fmt.Errorf("no member %s", name)
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) == 0 {
			continue
		}
		answer := map[string]any{"answer": words[0]}
		var failure error
		switch words[0] {
		case "join":
			answer["contacted"], failure = list.Join(words[1:])
		case "members":
			names := []string{}
			for _, n := range list.Members() {
				names = append(names, n.Name)
			}
			sort.Strings(names)
			answer["members"] = names
		case "leave":
			failure = list.Leave(5 * time.Second)
		case "send":
			failure = sendTo(words[1], list.SendBestEffort, words[2:])
		case "reliable":
			failure = sendTo(words[1], list.SendReliable, words[2:])
		case "meta":
			d.meta = []byte(words[1])
			failure = list.UpdateNode(5 * time.Second)
		case "addkey":
			failure = config.Keyring.AddKey(key(words[1]))
		case "usekey":
			failure = config.Keyring.UseKey(key(words[1]))
		case "removekey":
			failure = config.Keyring.RemoveKey(key(words[1]))
		case "quit":
			_ = list.Shutdown()
			return
		default:
			failure = fmt.Errorf("no command %s", words[0])
		}
		if failure != nil {
			answer["error"] = failure.Error()
		}
		say(answer)
	}
}
