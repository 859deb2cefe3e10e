using LoraServe.Serving.Sampling;

namespace LoraServe.Serving.Tests.Sampling;

public class StopMatcherTests
{
    [Theory]
    [InlineData("hello wor|ld STOP more", "STOP", "hello world ")]
    [InlineData("a|b|c|S|T|O|P|x", "STOP", "abc")]
    [InlineData("SSTO|STOP", "STOP", "SSTO")]
    [InlineData("nothing| to |find", "STOP", "nothing to find")]
    [InlineData("ends with ST", "STOP", "ends with ST")]
    [InlineData("one END two STOP", "STOP,END", "one ")]
    [InlineData("aab|aaac", "aaac", "aab")]
    public void Append_TextInPieces_GivesWhatStandsBeforeTheFirstStop(string pieces, string stops, string expected)
    {
        var matcher = new StopMatcher(stops.Split(','));
        string text = "";
        bool stopped = false;
        foreach (string piece in pieces.Split('|'))
        {
            stopped = matcher.Append(piece);
            text += matcher.Certain.ToString();
            matcher.Take();
            if (stopped)
            {
                break;
            }
        }

        if (!stopped)
        {
            matcher.Flush();
            text += matcher.Certain.ToString();
        }

        Assert.Equal(expected, text);
    }
}
