using System.Text;

namespace LoraServe.Models.Text.ToolCalls;

/// <summary>Reads a block of Python calls. They come out when it is closed: only then it is certain that it holds calls and nothing else.</summary>
internal sealed class PythonCallSyntax(string closing) : CallSyntax
{
    private readonly StringBuilder _code = new();

    public override bool MayEnd => true;

    public override SyntaxStep Push(char letter, ICallSink sink)
    {
        _code.Append(letter);
        if (letter != closing[^1] || _code.Length < closing.Length || _code.ToString(_code.Length - closing.Length, closing.Length) != closing)
        {
            return SyntaxStep.Taken;
        }

        _code.Length -= closing.Length;
        Finish(sink);
        return SyntaxStep.Last;
    }

    public override void Finish(ICallSink sink)
    {
        foreach ((string name, string arguments) in PythonCalls.Read(_code.ToString()) ?? [])
        {
            sink.Add(name, arguments);
        }
    }
}
