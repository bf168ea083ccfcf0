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
rm -rf -- "$1"
