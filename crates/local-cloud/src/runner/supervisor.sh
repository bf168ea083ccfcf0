# Outlives the engine by an instant: reads the process groups that run (+GROUP) and have ended (-GROUP) until the engine is
# gone, in whatever way, and then ends what still runs and removes the folder of its code.
trap '' INT TERM HUP
running=
while read -r word; do
    case $word in
    +*) running="$running ${word#+}" ;;
    -*)
        left=
        for group in $running; do [ "$group" = "${word#-}" ] || left="$left $group"; done
        running=$left
        ;;
    esac
done
for group in $running; do kill -9 "-$group"; done
# What is being ended may still write.
tries=0
until rm -rf -- "$1" 2>/dev/null || [ $tries -ge 100 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
