namespace LoraServe.Training.Reports.Plots;

/// <summary>Draws no more points than can be seen.</summary>
internal static class SeriesThinning
{
    /// <summary>
    /// Of the points in each of equally wide columns, the first, lowest, highest and last, in order: the line looks the same, whatever the
    /// number of points. A gap stays one.
    /// </summary>
    /// <param name="points">Points from left to right, in pixels; NaN for a gap.</param>
    /// <param name="columnWidth">Width of a column in pixels.</param>
    public static IEnumerable<(double X, double Y)> Thin(IEnumerable<(double X, double Y)> points, double columnWidth)
    {
        var column = new List<(double X, double Y)>();
        double current = double.NaN;
        foreach ((double X, double Y) point in points)
        {
            double place = double.IsNaN(point.Y) ? double.NaN : Math.Floor(point.X / columnWidth);
            if (!place.Equals(current))
            {
                foreach ((double X, double Y) kept in Outline(column))
                {
                    yield return kept;
                }

                column.Clear();
                current = place;
            }

            // Of a column only its outline is kept, also while it fills.
            if (column.Count == 8)
            {
                column = [.. Outline(column)];
            }

            column.Add(point);
        }

        foreach ((double X, double Y) kept in Outline(column))
        {
            yield return kept;
        }
    }

    private static List<(double X, double Y)> Outline(List<(double X, double Y)> column)
    {
        if (column.Count <= 4)
        {
            return [.. column];
        }

        int lowest = 0;
        int highest = 0;
        for (int i = 1; i < column.Count; i++)
        {
            lowest = column[i].Y < column[lowest].Y ? i : lowest;
            highest = column[i].Y > column[highest].Y ? i : highest;
        }

        return [.. new[] { 0, lowest, highest, column.Count - 1 }.Distinct().Order().Select(i => column[i])];
    }
}
