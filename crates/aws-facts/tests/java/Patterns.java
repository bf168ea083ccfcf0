// What Java makes of each pattern in the first column of patterns.tsv: its value at some times, `REFUSED`, or `FAILS` where only
// formatting does. `java Patterns.java patterns.tsv > new && mv new patterns.tsv`, with Java 19 or later.
import java.nio.file.*;
import java.time.*;
import java.time.format.*;
import java.util.*;

public class Patterns {
    static final String[] TIMES = {
        "2026-07-03T14:05:09.012345678+02:00[Europe/Berlin]",
        "2019-12-29T00:00:00Z[UTC]",
        "2021-01-02T12:00:00.5-05:00[America/New_York]",
        "2025-02-28T21:59:59.999+05:30[Asia/Calcutta]",
        "2024-12-31T06:30:00Z[UTC]",
        "2023-05-01T18:00:30+10:00[Australia/Sydney]",
        "2026-01-04T12:01:00-03:30[America/St_Johns]",
    };

    public static void main(String[] arguments) throws Exception {
        for (String line : Files.readAllLines(Path.of(arguments[0]))) {
            String pattern = line.split("\t")[0];
            List<String> row = new ArrayList<>(List.of(pattern));
            try {
                DateTimeFormatter formatter = DateTimeFormatter.ofPattern(pattern, Locale.US);
                for (String time : TIMES) row.add(format(formatter, ZonedDateTime.parse(time)));
            } catch (IllegalArgumentException wrong) {
                row.add("REFUSED");
            }
            System.out.println(String.join("\t", row));
        }
    }

    static String format(DateTimeFormatter formatter, ZonedDateTime time) {
        try {
            return formatter.format(time);
        } catch (DateTimeException tooLong) {
            return "FAILS";
        }
    }
}
