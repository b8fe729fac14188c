package main

import "rmux"

func init() {
	layers["rmux"] = func(o listenOptions) (streamLayer, error) {
		return rmux.Listen(o.Address, rmux.Config{
			Cluster: o.Cluster, Server: o.Server, Checksum: o.Checksum, Window: o.Window,
		})
	}
}
