using System.Globalization;
using System.Text;

namespace LoraServe.Templates.Library;

/// <summary>strftime in the C locale, with glibc's flags (<c>%-d</c>).</summary>
internal static class TimeFormat
{
    private static readonly string[] s_days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

    private static readonly string[] s_months =
    [
        "January", "February", "March", "April", "May", "June", "July",
        "August", "September", "October", "November", "December",
    ];

    public static string Format(DateTime time, string format)
    {
        StringBuilder result = new(format.Length * 2);
        for (int i = 0; i < format.Length; i++)
        {
            int start = i;
            if (format[i] != '%' || i + 1 == format.Length)
            {
                result.Append(format[i]);
                continue;
            }

            char flag = '\0';
            while (i + 2 < format.Length && format[i + 1] is '-' or '_' or '0' or '^' or '#')
            {
                flag = format[++i];
            }

            string? text = Directive(time, format[++i], flag);
            result.Append(text is null ? format[start..(i + 1)] : flag == '^' ? text.ToUpperInvariant() : text);
        }

        return result.ToString();
    }

    private static string? Directive(DateTime time, char directive, char flag)
    {
        int hour12 = (time.Hour + 11) % 12 + 1;
        return directive switch
        {
            'a' => s_days[(int)time.DayOfWeek][..3],
            'A' => s_days[(int)time.DayOfWeek],
            'b' or 'h' => s_months[time.Month - 1][..3],
            'B' => s_months[time.Month - 1],
            'c' => Format(time, "%a %b %e %H:%M:%S %Y"),
            'C' => Padded(time.Year / 100, 2, '0', flag),
            'd' => Padded(time.Day, 2, '0', flag),
            'D' or 'x' => Format(time, "%m/%d/%y"),
            'e' => Padded(time.Day, 2, ' ', flag),
            'f' => Padded((int)(time.Ticks % TimeSpan.TicksPerSecond / 10), 6, '0', '\0'),
            'F' => Format(time, "%Y-%m-%d"),
            'g' => Padded(ISOWeek.GetYear(time) % 100, 2, '0', flag),
            'G' => Padded(ISOWeek.GetYear(time), 4, '0', flag),
            'H' => Padded(time.Hour, 2, '0', flag),
            'I' => Padded(hour12, 2, '0', flag),
            'j' => Padded(time.DayOfYear, 3, '0', flag),
            'k' => Padded(time.Hour, 2, ' ', flag),
            'l' => Padded(hour12, 2, ' ', flag),
            'm' => Padded(time.Month, 2, '0', flag),
            'M' => Padded(time.Minute, 2, '0', flag),
            'n' => "\n",
            'p' => flag == '#' ? (time.Hour < 12 ? "am" : "pm") : time.Hour < 12 ? "AM" : "PM",
            'P' => time.Hour < 12 ? "am" : "pm",
            'r' => Format(time, "%I:%M:%S %p"),
            'R' => Format(time, "%H:%M"),
            's' => new DateTimeOffset(DateTime.SpecifyKind(time, DateTimeKind.Unspecified), TimeSpan.Zero)
                .ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
            'S' => Padded(time.Second, 2, '0', flag),
            't' => "\t",
            'T' or 'X' => Format(time, "%H:%M:%S"),
            'u' => time.DayOfWeek == DayOfWeek.Sunday ? "7" : Padded((int)time.DayOfWeek, 1, '0', flag),
            'U' => Padded((time.DayOfYear + 6 - (int)time.DayOfWeek) / 7, 2, '0', flag),
            'V' => Padded(ISOWeek.GetWeekOfYear(time), 2, '0', flag),
            'w' => Padded((int)time.DayOfWeek, 1, '0', flag),
            'W' => Padded((time.DayOfYear + 6 - (((int)time.DayOfWeek + 6) % 7)) / 7, 2, '0', flag),
            'y' => Padded(time.Year % 100, 2, '0', flag),
            'Y' => Padded(time.Year, 1, '0', flag),
            'z' or 'Z' => "",
            '%' => "%",
            _ => null,
        };
    }

    private static string Padded(int value, int width, char fill, char flag)
    {
        string digits = value.ToString(CultureInfo.InvariantCulture);
        return flag == '-' ? digits : digits.PadLeft(width, flag switch { '_' => ' ', '0' => '0', _ => fill });
    }
}
