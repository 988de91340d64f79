// Both sides of the smoke test: `smoke serve` answers HTTP with its host's name, `smoke ask URL COUNT` prints that many
// answers, each over a connection of its own.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"
)

func main() {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "serve":
		name, err := os.Hostname()
		if err != nil {
			log.Fatal(err)
		}
		answer := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, name) }
		log.Fatal(http.ListenAndServe(":8080", http.HandlerFunc(answer)))
	case len(os.Args) == 4 && os.Args[1] == "ask":
		count, err := strconv.Atoi(os.Args[3])
		if err != nil {
			log.Fatal(err)
		}
		for range count {
			if err := ask(os.Args[2]); err != nil {
				log.Fatal(err)
			}
		}
	default:
		log.Fatal("usage: smoke serve | smoke ask URL COUNT")
	}
}

func ask(url string) error {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(os.Stdout, response.Body)
	return err
}
