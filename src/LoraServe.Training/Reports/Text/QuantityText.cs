using System.Globalization;

namespace LoraServe.Training.Reports.Text;

/// <summary>Numbers as people read them.</summary>
public static class QuantityText
{
    private static readonly string[] s_byteUnits = ["B", "kB", "MB", "GB", "TB"];
    private static readonly string[] s_countUnits = ["", "k", "M", "G", "T"];

    /// <summary>Bytes in a unit that suits, powers of 1000.</summary>
    public static string Bytes(double bytes) => Scaled(bytes, s_byteUnits);

    /// <summary>A count: in full up to a million, then in millions and so on.</summary>
    public static string Count(double count) =>
        Math.Abs(count) < 1_000_000 ? count.ToString("#,0.##", CultureInfo.InvariantCulture) : Scaled(count, s_countUnits);

    /// <summary>A count with one digit after the point, in a unit that suits: for the cells of tables.</summary>
    public static string ShortCount(double count) => count switch
    {
        >= 1e9 => string.Create(CultureInfo.InvariantCulture, $"{count / 1e9:0.0} B"),
        >= 1e6 => string.Create(CultureInfo.InvariantCulture, $"{count / 1e6:0.0} M"),
        >= 1e4 => string.Create(CultureInfo.InvariantCulture, $"{count / 1e3:0.0} k"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{count:0}"),
    };

    /// <summary>A share as per cent, with three digits that count.</summary>
    public static string Percent(double share) => $"{Digits(100 * share)} %";

    /// <summary>A number with four digits that count.</summary>
    public static string Digits(double value)
    {
        if (!double.IsFinite(value) || value == 0)
        {
            return double.IsNaN(value) ? "not a number" : value == 0 ? "0" : value > 0 ? "infinite" : "-infinite";
        }

        int decimals = 3 - (int)Math.Floor(Math.Log10(Math.Abs(value)));
        return decimals is >= 0 and <= 8
            ? value.ToString($"0.{new string('#', decimals)}", CultureInfo.InvariantCulture)
            : Math.Abs(value) is >= 1e-4 and < 1e9 ? value.ToString("#,0", CultureInfo.InvariantCulture) : value.ToString("0.###e0", CultureInfo.InvariantCulture);
    }

    /// <summary>A time such as <c>1 h 02 min</c>, <c>3 min 20 s</c> or <c>4.2 s</c>.</summary>
    public static string Duration(TimeSpan time) =>
        time.TotalHours >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(time.TotalHours):0} h {time.Minutes:00} min")
        : time.TotalMinutes >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{time.Minutes} min {time.Seconds:00} s")
        : string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#} s");

    private static string Scaled(double value, string[] units)
    {
        int unit = 0;
        while (Math.Abs(value) >= 1000 && unit < units.Length - 1)
        {
            value /= 1000;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{value:0.##} {units[unit]}");
    }
}
