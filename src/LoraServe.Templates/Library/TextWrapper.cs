using System.Text;
using LoraServe.Templates.Text;

namespace LoraServe.Templates.Library;

/// <summary>Breaks a line into lines of a width, at white space and after hyphens within words, keeping the white space inside lines.</summary>
internal sealed class TextWrapper(int width, bool breakLongWords, bool breakOnHyphens)
{
    public List<string> Wrap(string line)
    {
        List<string> lines = [];
        StringBuilder current = new();
        foreach (string chunk in Chunks(line))
        {
            string rest = chunk;
            if (current.Length + rest.Length > width)
            {
                if (rest.Length > width && breakLongWords)
                {
                    int room = width - current.Length;
                    current.Append(rest, 0, room);
                    rest = rest[room..];
                }

                Flush(lines, current);
                for (; breakLongWords && rest.Length > width; rest = rest[width..])
                {
                    lines.Add(rest[..width]);
                }
            }

            bool startsWrapped = current.Length == 0 && lines.Count > 0;
            current.Append(startsWrapped && PythonText.IsBlank(rest) ? "" : rest);
        }

        Flush(lines, current);
        return lines;
    }

    private static void Flush(List<string> lines, StringBuilder current)
    {
        string line = PythonText.TrimEnd(current.ToString());
        if (line.Length > 0)
        {
            lines.Add(line);
        }

        current.Clear();
    }

    private IEnumerable<string> Chunks(string line)
    {
        int start = 0;
        for (int i = 1; i < line.Length; i++)
        {
            bool spaceChanges = PythonText.IsSpace(line[i]) != PythonText.IsSpace(line[i - 1]);
            bool afterHyphen = breakOnHyphens && i > 1 && line[i - 1] == '-' && char.IsLetter(line[i - 2]) && char.IsLetter(line[i]);
            if (spaceChanges || afterHyphen)
            {
                yield return line[start..i];
                start = i;
            }
        }

        if (start < line.Length)
        {
            yield return line[start..];
        }
    }
}
