using System.Text;
using LoraServe.Training.Data;

namespace LoraServe.Training.Tests.Data;

/// <summary>A temporary folder of data sets.</summary>
public sealed class DataFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("loraserve-data-");
    private readonly List<DataFile> _open = [];

    /// <summary>Writes and opens a file.</summary>
    public DataFile Open(string content, string name = "rows.jsonl") => Open(Encoding.UTF8.GetBytes(content), name);

    /// <summary>Writes and opens a file.</summary>
    public DataFile Open(byte[] content, string name = "rows.jsonl")
    {
        var file = DataFile.Open(Write(name, content));
        _open.Add(file);
        return file;
    }

    /// <summary>Writes a file.</summary>
    public string Write(string name, byte[] content)
    {
        string path = Path.Combine(_folder.FullName, $"{_open.Count}-{name}");
        File.WriteAllBytes(path, content);
        return path;
    }

    /// <summary>Writes and opens a file of texts of these lengths in bytes.</summary>
    public DataFile OpenTexts(IEnumerable<int> lengths) =>
        Open(string.Concat(lengths.Select((length, index) => $$"""{"text": "{{$"{index} ".PadRight(length, 'x')[..length]}}"}""" + "\n")));

    /// <inheritdoc />
    public void Dispose()
    {
        _open.ForEach(file => file.Dispose());
        _folder.Delete(recursive: true);
    }
}
