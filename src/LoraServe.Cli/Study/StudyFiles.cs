using LoraServe.Cli.Rendering;

namespace LoraServe.Cli.Study;

/// <summary>Writes a study's files for programs: whole or not at all.</summary>
internal static class StudyFiles
{
    public static void Write<T>(string path, T value)
    {
        string temporary = $"{path}.tmp";
        using (var writer = new StreamWriter(temporary))
        {
            writer.WriteJson(value);
        }

        File.Move(temporary, path, overwrite: true);
    }
}
