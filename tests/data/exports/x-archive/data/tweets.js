window.YTD.tweets.part0 = [
  {
    "tweet": {
      "id_str": "1850000000000000001",
      "id": "1850000000000000001",
      "full_text": "Sore di pantai &lt;3",
      "created_at": "Wed Nov 27 01:02:03 +0000 2024",
      "favorite_count": "0",
      "retweeted": false,
      "entities": {
        "urls": []
      }
    }
  },
  {
    "tweet": {
      "id_str": "1850000000000000002",
      "id": "1850000000000000002",
      "full_text": "RT @teman: Ayo lari pagi bersama",
      "created_at": "Wed Nov 27 01:02:03 +0000 2024",
      "favorite_count": "0",
      "retweeted": false,
      "entities": {
        "urls": []
      }
    }
  }
]