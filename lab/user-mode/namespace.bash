# namespace.bash RADVD-CONFIG KERNEL ARGUMENT…: the surroundings of a user-mode machine, in network and process namespaces of their own. A
# cable, and the router at its other end. It is the first process there: when it ends, so does all else.
config=$1
shift
ip link add lab-guest type veth peer name lab-router
ip address add 10.0.2.2/24 dev lab-router
ip address add 2001:db8:6772::2/64 dev lab-router nodad
ip link set lab-guest up
ip link set lab-router up
radvd --config "$config" --pidfile "${config%/*}/radvd.pid" --logmethod stderr --nodaemon &
"$@"
